// SPDX-License-Identifier: Apache-2.0
//
// Plans of the real daemon while packets flow, and what becomes of the flows that a plan speaks of.
// Needs a kernel that lets a program trace another one: run by `scripts/vm test sample`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/daemon/sending.h"
#include "tests/daemon/traffic_fixture.h"

namespace evenkeel::testing {
namespace {

using model::AdminState;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr uint16_t kFlows = 300;

class SamplePlanTest : public TrafficFixture {
 protected:
  void SetUp() override {
    TrafficFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    AddNeighbors(4);
    four_ = Write("four.yaml", MakeYaml(4));
  }

  static model::Config WithSecond(AdminState state) {
    model::Config config = MakeConfig(4);
    config.pools[0].backends[1].state = state;
    return config;
  }

  // The one pool's, and in *part what part of its slots moves.
  traffic::PoolTraffic Plan(const model::Config& config, double* part = nullptr) {
    engine::Request request;
    request.change.config = config;
    request.sample_for = milliseconds(2000);
    const engine::Outcome outcome = client_->Plan(request);
    EXPECT_EQ(outcome.kind, engine::Outcome::Kind::kValidated) << outcome.status;
    if (!outcome.live_traffic || outcome.live_traffic->pools.size() != 1) {
      ADD_FAILURE() << "nothing is said of the traffic";
      return {};
    }
    EXPECT_EQ(outcome.live_traffic->not_sampled, "");
    EXPECT_TRUE(outcome.live_traffic->sample);
    if (part != nullptr) {
      const guard::PoolChange& change = outcome.verdict.pools.at(0);
      *part = static_cast<double>(change.slots_moved) / change.table_size;
    }
    return outcome.live_traffic->pools[0];
  }

  void ExpectPart(const traffic::PoolTraffic& pool, double part) {
    const auto flows = static_cast<double>(pool.sampled.flows);
    EXPECT_GT(flows, 100);
    EXPECT_NEAR(static_cast<double>(pool.moved.flows), part * flows,
                5 * std::sqrt(part * (1 - part) * flows));
    EXPECT_GT(pool.moved.flows, 0u);
  }

  std::string four_;
};

TEST_F(SamplePlanTest, FlowsOfADrainedBackendStay) {
  Start({"--config", four_});
  const Sending sending(*outside_, kFlows);
  double part = 0;
  const traffic::PoolTraffic pool = Plan(WithSecond(AdminState::kDraining), &part);
  EXPECT_LE(pool.sampled.flows, kFlows);
  ExpectPart(pool, part);
  EXPECT_EQ(pool.staying, pool.moved);
  EXPECT_EQ(pool.cut, traffic::Count{});
}

TEST_F(SamplePlanTest, FlowsOfADisabledBackendAreCut) {
  Start({"--config", four_});
  const Sending sending(*outside_, kFlows);
  const traffic::PoolTraffic pool = Plan(WithSecond(AdminState::kDisabled));
  ExpectPart(pool, 0.25);
  EXPECT_GE(pool.cut.flows, pool.moved.flows * 3 / 4) << "the others change hands between servers";
}

TEST_F(SamplePlanTest, WithoutTrafficNoneIsSeen) {
  Start({"--config", four_});
  const traffic::PoolTraffic pool = Plan(WithSecond(AdminState::kDraining));
  EXPECT_EQ(pool.sampled, traffic::Count{});
  EXPECT_EQ(pool.moved, traffic::Count{});
}

TEST_F(SamplePlanTest, ADaemonThatAdoptedSamplesToo) {
  Start({"--config", four_});
  End(SIGKILL);
  Start({"--config", four_});
  ASSERT_TRUE(Status().interfaces.at(0).adopted);
  const Sending sending(*outside_, kFlows);
  double part = 0;
  const traffic::PoolTraffic pool = Plan(WithSecond(AdminState::kDraining), &part);
  ExpectPart(pool, part);
}

TEST_F(SamplePlanTest, ASharedInterfaceIsSampledToo) {
  Start({"--config", four_, "--attach", "shared"});
  ASSERT_TRUE(Status().interfaces.at(0).shared);
  const Sending sending(*outside_, kFlows);
  double part = 0;
  const traffic::PoolTraffic pool = Plan(WithSecond(AdminState::kDraining), &part);
  ExpectPart(pool, part);
}

// Nobody's address is in what the daemon says.
TEST_F(SamplePlanTest, TheCommandShowsIt) {
  Start({"--config", four_});
  const Sending sending(*outside_, kFlows);
  const std::string file = Write("drained.yaml", model::ToYaml(WithSecond(AdminState::kDraining)));
  const CommandResult plan = RunCommand(
      {EK_BINARY_DIR "/bin/evenkeel", "plan", "-f", file, "--sample", "2s", "--socket", socket_});
  EXPECT_EQ(plan.exit_code, 0) << plan;
  EXPECT_THAT(plan.out, HasSubstr("Live traffic:"));
  EXPECT_THAT(plan.out, HasSubstr("sampled flows"));
  EXPECT_THAT(plan.out, ::testing::Not(HasSubstr("198.51.100.7")));
}

}  // namespace
}  // namespace evenkeel::testing
