// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/detect_plan.h"

#include <gmock/gmock.h>

#include "control/daemon/detect_runner.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::daemon {
namespace {

using ::testing::ElementsAre;
using testing::Ip;
using ::testing::IsEmpty;
using testing::MakePool;
using testing::MakeVip;
using ::testing::SizeIs;

class DetectPlanTest : public ::testing::Test {
 protected:
  DetectPlanTest() {
    config_.pools = {MakePool("web", 1, {1, 2, 3, 4}), MakePool("idle", 2, {1, 2})};
    config_.vips = {MakeVip("web", "192.0.2.10", 80, "web")};
  }
  std::shared_ptr<const guard::BuiltFleet> Build(const guard::BuiltFleet* reuse = nullptr) {
    auto fleet = guard::BuildFleet(config_, {}, reuse);
    EXPECT_TRUE(fleet.ok()) << fleet.status();
    return *fleet;
  }
  detect::Detector::Plans Plan(uint32_t next, int64_t now) {
    state_.kernel = Build(state_.kernel.get());
    state_.applied.revision = next;
    return PlanDetection(state_, host_, next, now, &ages_);
  }

  model::Config config_;
  engine::State state_;
  model::Policy host_;
  ShareAges ages_;
};

TEST_F(DetectPlanTest, PoolsThatPacketsCanReach) {
  const auto plan = Plan(1, 100);
  ASSERT_THAT(plan, SizeIs(1));
  EXPECT_EQ(plan[0]->pool, "web");
  EXPECT_EQ(plan[0]->revision, 1u);
  EXPECT_TRUE(plan[0]->counts_flows);
  EXPECT_FALSE(plan[0]->single_backend);
  EXPECT_EQ(plan[0]->spread, detect::Spread::kConnection);
  ASSERT_THAT(plan[0]->servers, SizeIs(4));
  double intended = 0, built = 0;
  for (const detect::ServerPlan& server : plan[0]->servers) {
    intended += server.intended;
    built += server.built;
    EXPECT_NEAR(server.built, 0.25, 0.01);
  }
  EXPECT_NEAR(intended, 1, 1e-9);
  EXPECT_NEAR(built, 1, 1e-9);
  state_.kernel = nullptr;
  EXPECT_THAT(PlanDetection(state_, host_, 2, 0, &ages_), IsEmpty());
}

TEST_F(DetectPlanTest, WhoDrainsIsToHaveNothing) {
  config_.pools[0].backends[3].state = model::AdminState::kDraining;
  const auto plan = Plan(1, 0);
  ASSERT_THAT(plan[0]->servers, SizeIs(4));
  EXPECT_EQ(plan[0]->servers[3].intended, 0);
  EXPECT_EQ(plan[0]->servers[3].built, 0);
}

TEST_F(DetectPlanTest, SharesAreAsOldAsTheTable) {
  EXPECT_EQ(Plan(1, 100)[0]->generation, 1u);
  auto plan = Plan(2, 200);
  EXPECT_EQ(plan[0]->generation, 1u) << "nothing of it changed";
  EXPECT_EQ(plan[0]->since_unix_ns, 100);
  EXPECT_EQ(plan[0]->revision, 2u);
  config_.pools[0].backends[0].weight = 50;
  plan = Plan(3, 300);
  EXPECT_EQ(plan[0]->generation, 3u);
  EXPECT_EQ(plan[0]->since_unix_ns, 300);
  config_.vips.clear();
  EXPECT_THAT(Plan(4, 400), IsEmpty());
  EXPECT_THAT(ages_, IsEmpty());
}

TEST_F(DetectPlanTest, HowPacketsAreSpread) {
  config_.vips[0].protocol = model::Protocol::kUdp;
  EXPECT_FALSE(Plan(1, 0)[0]->counts_flows);
  config_.vips.push_back(MakeVip("quic", "192.0.2.10", 443, "web", model::Protocol::kQuic));
  EXPECT_TRUE(Plan(2, 0)[0]->counts_flows);
  config_.pools[0].affinity = model::Affinity::kSource;
  EXPECT_EQ(Plan(3, 0)[0]->spread, detect::Spread::kSource);
  config_.pools[0].policy.single_backend = model::SingleBackend{.reason = "r", .owner = "o"};
  config_.pools[0].policy.max_share = 0.4;
  const auto plan = Plan(4, 0);
  EXPECT_TRUE(plan[0]->single_backend);
  EXPECT_EQ(plan[0]->servers[0].limit, 0.4);
}

// A slow start publishes every few seconds, and concerns one pool.
TEST_F(DetectPlanTest, WhatDidNotChangeIsNotPlannedAgain) {
  config_.vips.push_back(MakeVip("idle", "192.0.2.10", 81, "idle"));
  const auto first = Plan(1, 0);
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(Plan(1, 1), first);
  config_.pools[0].backends[0].weight = 50;
  state_.kernel = Build(state_.kernel.get());
  const auto second = PlanDetection(state_, host_, 2, 2, &ages_);
  ASSERT_THAT(second, SizeIs(2));
  EXPECT_NE(second[0], first[0]);
  EXPECT_LT(second[0]->servers[0].built, 0.2);
  EXPECT_EQ(second[0]->generation, 2u);
  EXPECT_EQ(second[1], first[1]);
  // What is not of the pool as built, and yet of its plan.
  config_.vips[1].protocol = model::Protocol::kUdp;
  state_.kernel = Build(state_.kernel.get());
  const auto third = PlanDetection(state_, host_, 3, 3, &ages_);
  EXPECT_EQ(third[0], second[0]);
  EXPECT_FALSE(third[1]->counts_flows);
  host_.max_share = 0.45;
  const auto fourth = PlanDetection(state_, host_, 4, 4, &ages_);
  EXPECT_EQ(fourth[0]->servers[0].limit, 0.45);
  EXPECT_EQ(fourth[0]->generation, 2u) << "the shares are as before";
  state_.applied.revision = 2;
  EXPECT_EQ(PlanDetection(state_, host_, 5, 5, &ages_)[0]->revision, 2u);
}

TEST_F(DetectPlanTest, LimitsAreTheStrictestOfHostFleetAndPool) {
  const auto limit = [&] { return Plan(++state_.applied.revision, 0)[0]->servers[0].limit; };
  EXPECT_EQ(limit(), 0.5) << "of three and more";
  config_.pools[0].policy.max_share = 0.45;
  EXPECT_EQ(limit(), 0.45);
  config_.policy.max_share = 0.4;
  EXPECT_EQ(limit(), 0.4);
  host_.max_share = 0.35;
  EXPECT_EQ(limit(), 0.35);
  host_.max_share = 0.95;  // loosens, and so counts for nothing
  EXPECT_EQ(limit(), 0.4);
  config_.policy.max_share.reset();
  config_.pools[0].policy.max_share = 0.7;
  EXPECT_EQ(limit(), 0.5);
  config_.pools[0].backends.resize(2);
  EXPECT_EQ(limit(), 0.7);
  config_.pools[0].policy.max_share.reset();
  EXPECT_EQ(limit(), 0.8);
  config_.pools[0].backends.resize(1);
  EXPECT_EQ(limit(), 0) << "more than anything: there is no other";
  host_.max_share = 0.6;
  EXPECT_EQ(limit(), 0.6);
  config_.pools[0].policy.single_backend = model::SingleBackend{.reason = "r", .owner = "o"};
  EXPECT_EQ(limit(), 0);
}

TEST_F(DetectPlanTest, CapacityLimitsToo) {
  for (model::Backend& backend : config_.pools[0].backends) backend.capacity = 300;
  config_.pools[0].backends[1].capacity = 100;
  const auto by_capacity = Plan(1, 0);
  EXPECT_EQ(by_capacity[0]->servers[0].limit, 0.5);
  EXPECT_EQ(by_capacity[0]->servers[1].limit, 0.2) << "twice its tenth";
  host_.max_share_factor = 1.5;
  EXPECT_DOUBLE_EQ(Plan(2, 0)[0]->servers[1].limit, 0.15);
  config_.pools[0].backends[2].capacity.reset();
  EXPECT_EQ(Plan(3, 0)[0]->servers[1].limit, 0.5) << "not known of all";
}

TEST_F(DetectPlanTest, AChangeIsSummarizedByWhoGainedMost) {
  const auto before = Build();
  config_.pools[0].backends.resize(1);
  const auto after = Build(before.get());
  engine::Applied applied;
  applied.revision = 41;
  applied.author = "alice";
  applied.reason = "deploy";
  applied.applied_unix_ns = 7;
  const detect::Change change = DescribeChange(applied, 40, before.get(), *after);
  EXPECT_EQ(change.revision, 41u);
  EXPECT_EQ(change.author, "alice");
  EXPECT_EQ(change.undo, "evenkeel rollback 40");
  EXPECT_THAT(change.pools, ElementsAre("web"));
  EXPECT_THAT(change.summary,
              ::testing::StartsWith("web: 1 instead of 4 servers, " +
                                    config_.pools[0].backends[0].name + " 100.0 % instead of 25."))
      << "to one slot";
  EXPECT_EQ(DescribeChange(applied, 0, before.get(), *before).undo, "");
  EXPECT_THAT(DescribeChange(applied, 40, before.get(), *before).pools, IsEmpty());
}

TEST_F(DetectPlanTest, CountersAreThoseOfTheServerInThePool) {
  const auto plan = Plan(9, 0);
  publish::CounterReport counters;
  counters.backends = {{.pool = "web",
                        .backend = "x",
                        .address = plan[0]->servers[1].address,
                        .counter = {.packets = 5, .bytes = 6, .new_flows = 7, .drops = 0}},
                       {.pool = "idle",
                        .backend = "x",
                        .address = plan[0]->servers[0].address,
                        .counter = {.packets = 9, .bytes = 9, .new_flows = 9, .drops = 0}}};
  publish::TrackingReport tracking;
  tracking.pools = {{.pool = "web", .moving = 12}};
  const auto readings = ReadPools(plan, counters, tracking);
  ASSERT_THAT(readings, SizeIs(1));
  EXPECT_EQ(readings[0].generation, 9u);
  EXPECT_EQ(readings[0].moving_slots, 12u);
  ASSERT_THAT(readings[0].servers, SizeIs(4));
  EXPECT_EQ(readings[0].servers[0].packets, 0u);
  EXPECT_EQ(readings[0].servers[1].packets, 5u);
  EXPECT_EQ(readings[0].servers[1].bytes, 6u);
  EXPECT_EQ(readings[0].servers[1].new_flows, 7u);
}

// All packets of who has few: a sixteenth of them would never tell the clients of a small pool.
TEST(DetectSampleTest, IsThinnedOutByTheRate) {
  EXPECT_EQ(DetectRunner::SampleOptionsFor(0).one_in, 1u);
  EXPECT_EQ(DetectRunner::SampleOptionsFor(8'000).one_in, 1u);
  EXPECT_EQ(DetectRunner::SampleOptionsFor(80'000).one_in, 10u);
  EXPECT_EQ(DetectRunner::SampleOptionsFor(1'000'000).one_in, 125u);
  EXPECT_EQ(DetectRunner::SampleOptionsFor(0).max_packets, 4000u);
}

}  // namespace
}  // namespace evenkeel::daemon
