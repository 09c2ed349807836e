// SPDX-License-Identifier: Apache-2.0
//
// "Not the balancer, and here is the evidence" is an answer, too.
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportTest, SaysThatTheBalancerIsNotTheCause) {
  World world;
  world.Run(5 * 3600, World::Even(world.plan, 100));
  const PoolReport report = world.Report();
  EXPECT_EQ(report.verdict, Verdict::kMatches);
  EXPECT_EQ(report.diagnosis, std::nullopt);
  EXPECT_THAT(report.text, HasSubstr("The distribution matches revision 41, unchanged for 6 h: the "
                                     "balancer is not the cause."));
  EXPECT_THAT(report.text, HasSubstr("from 1.0x"));
  for (const LinkReport& link : report.links) {
    EXPECT_EQ(link.state, LinkState::kHolds) << ToString(link.link);
  }
  ASSERT_EQ(report.servers.size(), 10u);
  EXPECT_NEAR(report.servers[3].flows, 0.1, 1e-3);
  EXPECT_NEAR(report.servers[3].packets, 0.1, 1e-3);
  EXPECT_NEAR(report.servers[3].ratio, 1, 1e-2);
  EXPECT_TRUE(report.servers[3].sufficient);
}

TEST(ReportTest, WithLittleTrafficItSaysNeither) {
  World world;
  world.Run(300, World::Even(world.plan, 1));
  const PoolReport report = world.Report();
  EXPECT_EQ(report.verdict, Verdict::kInsufficient);
  EXPECT_EQ(report.links[2].state, LinkState::kInsufficient);
  EXPECT_THAT(report.text, Not(HasSubstr("not the cause")));
}

TEST(ReportTest, WhatWasNotReadBackIsSaid) {
  World world;
  world.readback = Readback::kUnknown;
  world.Run(100, World::Even(world.plan, 1000));
  const PoolReport report = world.Report();
  EXPECT_EQ(report.links[1].state, LinkState::kUnknown);
  EXPECT_THAT(report.text, HasSubstr("kernel: not read back"));
}

TEST(ReportTest, APageNamesTheFirstBrokenLink) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.Run(5, World::Skewed(world.plan, 1000, 0, 3));
  const PoolReport report = world.Report();
  EXPECT_EQ(report.verdict, Verdict::kBroken);
  EXPECT_EQ(report.diagnosis, Diagnosis::kUnexplained);
  EXPECT_EQ(report.links[0].state, LinkState::kHolds);
  EXPECT_EQ(report.links[1].state, LinkState::kHolds);
  EXPECT_EQ(report.links[2].state, LinkState::kBroken);
  EXPECT_THAT(report.text, Not(HasSubstr("not the cause")));
}

TEST(ReportTest, NamesOfPoolsThatAreNotThere) {
  World world;
  EXPECT_FALSE(world.detector.Report("api", world.now));
  EXPECT_EQ(world.detector.Reports(world.now).size(), 1u);
}

// An alarm that is open, but has no data: neither fine nor gone.
TEST(ReportTest, AnOpenAlarmWithoutDataIsStillBroken) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.Run(60, World::Skewed(world.plan, 1000, 0, 3));
  world.Run(900, World::Even(world.plan, 0));
  EXPECT_EQ(world.Report().verdict, Verdict::kBroken);
}

}  // namespace
}  // namespace evenkeel::detect::testing
