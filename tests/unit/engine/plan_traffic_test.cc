// SPDX-License-Identifier: Apache-2.0
//
// What a plan says of the traffic of now: rates from counters, flows from a sample.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <condition_variable>
#include <thread>

#include "control/publish/probe.h"
#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// `flows` clients of the VIP, a frame of each.
dataplane::Sample SampleOf(uint32_t flows) {
  dataplane::Sample sample;
  sample.lasted = milliseconds(300);
  const dataplane::VipKey vip = {
      .address = *model::IpAddress::Parse("192.0.2.10"), .port = 443, .ip_protocol = IPPROTO_TCP};
  for (uint32_t i = 0; i < flows; ++i) {
    const auto frame = publish::BuildFrame(publish::ClientFlow(vip, i, 443));
    sample.packets.push_back({.head = frame, .length = static_cast<uint32_t>(frame.size())});
  }
  sample.packets.push_back({.head = std::vector<uint8_t>(60), .length = 60});  // nothing of ours
  return sample;
}

class PlanTrafficTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    MustApply(MakeConfig(4));
    sample_ = [this](const dataplane::SampleOptions& options) {
      asked_.push_back(options);
      return SampleOf(1000);
    };
  }

  // Five seconds in which the VIP got `packets` a second, each backend its quarter.
  void CountFor5s(uint64_t packets, uint64_t others = 0) {
    total_ += 5 * packets;
    others_ += 5 * others;
    kernel_.counters = {};
    kernel_.counters.vips = {{.vip = "web", .counter = {.packets = total_}}};
    for (int i = 1; i <= 4; ++i) {
      kernel_.counters.backends.push_back(
          {.pool = "web",
           .backend = absl::StrCat("web-", i),
           .address = *model::IpAddress::Parse(absl::StrCat("10.0.1.", i)),
           .counter = {.packets = total_ / 4}});
    }
    kernel_.counters.verdicts = {{"pass_no_vip", others_}};
    Pass(seconds(5));
  }

  // Of the drain of one of four.
  traffic::LiveTraffic PlanDrain(milliseconds sample_for) {
    Request request = MakeRequest(MakeConfig(4));
    request.change.config->pools[0].backends[1].state = model::AdminState::kDraining;
    request.sample_for = sample_for;
    const Outcome outcome = engine_->Plan(request);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kValidated);
    EXPECT_TRUE(outcome.live_traffic);
    return outcome.live_traffic.value_or(traffic::LiveTraffic{});
  }

  uint64_t total_ = 0, others_ = 0;
  std::vector<dataplane::SampleOptions> asked_;
};

TEST_F(PlanTrafficTest, CountsWithoutASample) {
  CountFor5s(0);
  CountFor5s(8000);
  CountFor5s(4000);
  const traffic::LiveTraffic live = PlanDrain(milliseconds(0));
  EXPECT_EQ(live.interval, seconds(5));
  EXPECT_FALSE(live.sample);
  EXPECT_EQ(live.not_sampled, "");
  EXPECT_TRUE(asked_.empty());
  ASSERT_EQ(live.pools.size(), 1u);
  EXPECT_NEAR(*live.pools[0].packets_per_s, 4000, 1) << "those of the last interval";
  EXPECT_NEAR(*live.pools[0].moved_packets_per_s, 1000, 80);
}

TEST_F(PlanTrafficTest, KnowsNoRateAtFirst) {
  const traffic::LiveTraffic live = PlanDrain(milliseconds(0));
  ASSERT_EQ(live.pools.size(), 1u);
  EXPECT_EQ(live.interval, seconds(0));
  EXPECT_FALSE(live.pools[0].packets_per_s);
}

TEST_F(PlanTrafficTest, PutsTheSampleThroughBothTables) {
  const traffic::LiveTraffic live = PlanDrain(milliseconds(300));
  ASSERT_TRUE(live.sample);
  EXPECT_EQ(live.sample->packets, 1001u);
  EXPECT_EQ(live.sample->lasted, milliseconds(300));
  ASSERT_EQ(live.pools.size(), 1u);
  EXPECT_EQ(live.pools[0].sampled.flows, 1000u);
  EXPECT_NEAR(static_cast<double>(live.pools[0].moved.flows), 250, 70);
  EXPECT_EQ(live.pools[0].staying, live.pools[0].moved);
}

// One in as many as leaves some 3,000.
TEST_F(PlanTrafficTest, ChoosesOneInSoMany) {
  struct Case {
    uint64_t vip, others;
    int window_ms;
    uint32_t one_in;
  };
  PlanDrain(milliseconds(100));
  EXPECT_EQ(asked_.back().one_in, 1u) << "no rate is known";
  CountFor5s(0);
  for (const Case& one :
       {Case{900, 0, 300, 1}, Case{100'000, 0, 300, 10}, Case{50'000, 50'000, 300, 10},
        Case{100'000, 0, 2000, 67}, Case{10'000'000, 0, 1000, 3333}}) {
    CountFor5s(one.vip, one.others);
    PlanDrain(milliseconds(one.window_ms));
    EXPECT_EQ(asked_.back().one_in, one.one_in) << one.vip << " " << one.window_ms;
    EXPECT_EQ(asked_.back().window, milliseconds(one.window_ms));
  }
}

TEST_F(PlanTrafficTest, BoundsTheTime) {
  PlanDrain(std::chrono::hours(1));
  EXPECT_EQ(asked_.back().window, milliseconds(2000));
  PlanDrain(milliseconds(-1));
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(PlanTrafficTest, IsAPlanAlsoWhereNothingCanBeSampled) {
  sample_ = [](const dataplane::SampleOptions&) {
    return absl::PermissionDeniedError("this kernel does not");
  };
  CountFor5s(0);
  CountFor5s(4000);
  const traffic::LiveTraffic live = PlanDrain(milliseconds(300));
  EXPECT_FALSE(live.sample);
  EXPECT_EQ(live.not_sampled, "this kernel does not");
  EXPECT_NEAR(*live.pools[0].packets_per_s, 4000, 1);
}

TEST_F(PlanTrafficTest, LooksOnlyWhereSomethingMayMove) {
  Request request = MakeRequest(MakeConfig(4));
  request.sample_for = milliseconds(300);
  EXPECT_FALSE(engine_->Plan(request).live_traffic) << "no change";
  model::Pool unused = MakeConfig(4).pools[0];
  unused.name = "unused";
  request.change.config->pools.push_back(unused);
  const Outcome outcome = engine_->Plan(request);
  ASSERT_TRUE(outcome.live_traffic);
  EXPECT_TRUE(outcome.live_traffic->pools.empty());
  EXPECT_TRUE(asked_.empty());
}

TEST_F(PlanTrafficTest, IsSaidOfARefusedPlanToo) {
  Request request = MakeRequest(MakeConfig(1));
  request.sample_for = milliseconds(300);
  const Outcome outcome = engine_->Plan(request);
  ASSERT_EQ(outcome.kind, Outcome::Kind::kRefused);
  ASSERT_TRUE(outcome.live_traffic);
  EXPECT_NEAR(static_cast<double>(outcome.live_traffic->pools[0].cut.flows), 750, 70);
}

TEST_F(PlanTrafficTest, ApplyLooksAtNothing) {
  Request request = MakeRequest(MakeConfig(5));
  request.sample_for = milliseconds(300);
  EXPECT_FALSE(engine_->Apply(request).live_traffic);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(PlanTrafficTest, OneLooksAtATimeAndFewWait) {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0, most = 0;
  bool open = false;
  sample_ = [&](const dataplane::SampleOptions&) {
    std::unique_lock lock(mutex);
    most = std::max(most, ++inside);
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --inside;
    return dataplane::Sample{};
  };
  constexpr int kPlans = TrafficSampler::kMost + 3;
  std::vector<std::string> refusals(kPlans);
  std::vector<std::thread> plans;
  std::atomic<int> answered = 0;
  for (int i = 0; i < kPlans; ++i) {
    plans.emplace_back([&, i] {
      refusals[static_cast<size_t>(i)] = PlanDrain(milliseconds(300)).not_sampled;
      ++answered;
    });
  }
  // Those that are not let in.
  for (int i = 0; i < 20'000 && answered < 3; ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(answered, 3);
  {
    std::lock_guard lock(mutex);
    open = true;
  }
  changed.notify_all();
  for (std::thread& plan : plans) plan.join();
  EXPECT_EQ(most, 1);
  int refused = 0;
  for (const std::string& refusal : refusals) {
    if (refusal.empty()) continue;
    ++refused;
    EXPECT_THAT(refusal, HasSubstr("4 plans look at packets"));
  }
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(PlanDrain(milliseconds(1)).not_sampled, "") << "there is room again";
}

}  // namespace
}  // namespace evenkeel::engine
