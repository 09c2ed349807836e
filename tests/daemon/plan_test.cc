// SPDX-License-Identifier: Apache-2.0
//
// What a plan says of the traffic of now, on every kernel; tests/sample has what is said where
// packets can be sampled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/sending.h"
#include "tests/daemon/traffic_fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class PlanTest : public TrafficFixture {
 protected:
  traffic::LiveTraffic PlanDrain(milliseconds sample_for) {
    engine::Request request;
    request.change.config = MakeConfig(4);
    request.change.config->pools[0].backends[1].state = model::AdminState::kDraining;
    request.sample_for = sample_for;
    const engine::Outcome outcome = client_->Plan(request);
    EXPECT_EQ(outcome.kind, engine::Outcome::Kind::kValidated) << outcome.status;
    EXPECT_TRUE(outcome.live_traffic);
    return outcome.live_traffic.value_or(traffic::LiveTraffic{});
  }
};

TEST_F(PlanTest, CountersSayWhatMoves) {
  AddNeighbors(4);
  Start({"--config", Write("four.yaml", MakeYaml(4))});
  const Sending sending(*outside_, 400);
  // The daemon reads the counters every five seconds.
  traffic::LiveTraffic live;
  for (int i = 0; i < 300; ++i) {
    live = PlanDrain(milliseconds(0));
    ASSERT_EQ(live.pools.size(), 1u);
    if (live.pools[0].packets_per_s.value_or(0) > 0) break;
    std::this_thread::sleep_for(milliseconds(100));
  }
  ASSERT_TRUE(live.pools[0].packets_per_s && live.pools[0].moved_packets_per_s);
  EXPECT_GE(live.interval, std::chrono::seconds(4));
  EXPECT_GT(*live.pools[0].packets_per_s, 50);
  EXPECT_LT(*live.pools[0].packets_per_s, 1100);
  // One of four is drained; which of 400 flows are its is the hash's to say.
  EXPECT_NEAR(*live.pools[0].moved_packets_per_s / *live.pools[0].packets_per_s, 0.25, 0.12);
  EXPECT_FALSE(live.sample);
  EXPECT_EQ(live.not_sampled, "");
}

TEST_F(PlanTest, IsAPlanWhetherPacketsCanBeSampledOrNot) {
  AddNeighbors(4);
  Start({"--config", Write("four.yaml", MakeYaml(4))});
  const Sending sending(*outside_, 400);
  const traffic::LiveTraffic live = PlanDrain(milliseconds(300));
  ASSERT_EQ(live.pools.size(), 1u);
  if (live.sample) {
    EXPECT_EQ(live.not_sampled, "");
    EXPECT_GT(live.pools[0].sampled.flows, 0u);
  } else {
    EXPECT_THAT(live.not_sampled, HasSubstr("does not permit to trace the balancer (fentry)"));
    EXPECT_EQ(live.pools[0].sampled, traffic::Count{});
  }
}

}  // namespace
}  // namespace evenkeel::testing
