// SPDX-License-Identifier: Apache-2.0
//
// When a page and a ticket rise, and when not: exact counts, one rule each.
#include <algorithm>

#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using What = AlarmEvent::What;

TEST(SkewTest, EvenTrafficIsNoAlarm) {
  World world;
  EXPECT_TRUE(world.Run(900, World::Even(world.plan, 1000)).empty());
  EXPECT_TRUE(world.detector.Alarms().empty());
}

TEST(SkewTest, ThreeTimesAtAThousandFlowsPagesAtOnce) {
  World world;
  world.Run(120, World::Even(world.plan, 1000));
  EXPECT_EQ(world.Until(What::kRaised, World::Skewed(world.plan, 1000, 2, 3), 10), 1);
  const Alarm* alarm = world.Find(Kind::kFlows);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kPage);
  EXPECT_EQ(alarm->id, "flows/web/10.0.0.3");
  EXPECT_EQ(alarm->name, "web-3");
  EXPECT_EQ(alarm->since_unix_ns, world.now.unix_ns);
  EXPECT_EQ(alarm->page_since_unix_ns, world.now.unix_ns);
  EXPECT_NEAR(alarm->evidence.ratio, 3, 0.05);
  EXPECT_NEAR(alarm->evidence.observed_share, 0.3, 0.005);
  EXPECT_EQ(alarm->evidence.unit, "new flows");
  EXPECT_EQ(alarm->evidence.dispersion, 4);
  EXPECT_GT(alarm->evidence.z, 8);
  EXPECT_THAT(alarm->text, ::testing::MatchesRegex("web-3 gets 3.0x its share of new flows: 30.. % "
                                                   "instead of 10.0 % .300 of .* in 1 s.*"));
}

// Rates at which 2.2 times the share has z a little over, or under, what is asked for in 10 s:
// z = 1.2 e / sqrt(0.9 * 4 e) with e expected flows.
struct PageCase {
  const char* name;
  double flows, times;
  int limit, at_least, at_most;  // seconds until the page
};

class PageTest : public ::testing::TestWithParam<PageCase> {};

TEST_P(PageTest, RisesInTime) {
  const PageCase& c = GetParam();
  World world;
  world.Run(400, World::Even(world.plan, c.flows));
  const int seconds =
      world.Until(What::kRaised, World::Skewed(world.plan, c.flows, 0, c.times), c.limit);
  EXPECT_GE(seconds, c.at_least);
  EXPECT_LE(seconds, c.at_most);
  if (seconds > c.limit) return;
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kPage);
}

INSTANTIATE_TEST_SUITE_P(
    Rates, PageTest,
    ::testing::Values(
        // Both windows must have twice the share: 2.2 times it takes 50 s and more in a minute.
        PageCase{"both-windows", 120, 2.2, 90, 45, 70},
        // z > 8 within 10 s: 1.2 * 240 / sqrt(3.6 * 240) = 9.8.
        PageCase{"fast-in-10-s", 240, 2.2, 90, 9, 10},
        // z > 6 in a second: 2 * 40 / sqrt(3.6 * 40) = 6.7; with 30 it is 5.8.
        PageCase{"fast-in-1-s", 400, 3, 90, 1, 1}, PageCase{"fast-in-3-s", 300, 3, 90, 3, 3},
        // 1.95 times is a matter for tickets, however sure.
        PageCase{"below-twice", 5000, 1.95, 120, 121, 121},
        // 28 expected in 10 s are enough, 22 are not.
        PageCase{"just-enough", 28, 6, 60, 1, 10}, PageCase{"too-few", 22, 6, 120, 121, 121}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(SkewTest, BelowTwentyFiveExpectedNothingIsSaid) {
  World world;
  world.Run(700, World::Skewed(world.plan, 0.65, 0, 9));  // 23.4 expected in six minutes
  EXPECT_TRUE(world.detector.Alarms().empty());
  const PoolReport report = world.Report();
  EXPECT_EQ(report.verdict, Verdict::kInsufficient);
  EXPECT_THAT(report.text, ::testing::HasSubstr("insufficient data"));
  EXPECT_THAT(report.text, ::testing::Not(::testing::HasSubstr("not the cause")));
}

TEST(SkewTest, OneAndAHalfTimesForFiveMinutesIsATicket) {
  World world;
  const auto rates = World::Skewed(world.plan, 200, 0, 1.6);
  const int seconds = world.Until(What::kRaised, rates, 600);
  EXPECT_GE(seconds, 299);
  EXPECT_LE(seconds, 301);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kTicket);
  EXPECT_EQ(world.Find(Kind::kFlows)->page_since_unix_ns, 0);
}

// Five minutes together may be over though most of them were even.
TEST(SkewTest, ABurstOfOneMinuteIsNoTicket) {
  World world;
  world.Run(400, World::Even(world.plan, 22));
  EXPECT_TRUE(world.Run(60, World::Skewed(world.plan, 22, 0, 6)).empty());
  EXPECT_TRUE(world.Run(400, World::Even(world.plan, 22)).empty());
}

// Chance takes single minutes below 1.5 times.
TEST(SkewTest, MinutesAroundOneAndAHalfTimesAreATicket) {
  World world;
  int ticket_s = 0;
  for (int second = 0; second < 900 && world.Find(Kind::kFlows) == nullptr; ++second) {
    const double times = second / 60 % 2 == 0 ? 1.95 : 1.3;
    world.Second(World::Skewed(world.plan, 200, 0, times));
    ticket_s = second;
  }
  EXPECT_GE(ticket_s, 270);
  EXPECT_LE(ticket_s, 390);
}

// What was over an hour ago is not the beginning of five minutes.
TEST(SkewTest, WhatIsOverDoesNotCountForAnotherBurst) {
  World world;
  world.Run(400, World::Even(world.plan, 22));
  EXPECT_TRUE(world.Run(100, World::Skewed(world.plan, 22, 0, 1.6)).empty());
  EXPECT_TRUE(world.Run(300, World::Skewed(world.plan, 22, 0, 1.35)).empty());
  EXPECT_TRUE(world.Run(3600, World::Even(world.plan, 22)).empty());
  EXPECT_TRUE(world.Run(60, World::Skewed(world.plan, 22, 0, 6)).empty());
  EXPECT_TRUE(world.Run(400, World::Even(world.plan, 22)).empty());
}

TEST(SkewTest, ATicketNeedsBothFiveMinutesAndTheLastOne) {
  World world;
  world.Run(290, World::Skewed(world.plan, 200, 0, 1.9));
  EXPECT_TRUE(world.detector.Alarms().empty());
  World over;
  over.Run(230, World::Skewed(over.plan, 200, 0, 1.9));
  EXPECT_TRUE(over.Run(200, World::Even(over.plan, 200)).empty());
}

TEST(SkewTest, FourTenthsMoreIsNothing) {
  World world;
  EXPECT_TRUE(world.Run(900, World::Skewed(world.plan, 5000, 0, 1.45)).empty());
}

TEST(SkewTest, ATicketBecomesAPageAndIsNotAcknowledgedAnyMore) {
  World world;
  world.Run(400, World::Skewed(world.plan, 1000, 0, 1.7));
  const std::string id = world.Find(Kind::kFlows)->id;
  EXPECT_TRUE(world.detector.Acknowledge(id, "kim", 5));
  EXPECT_EQ(world.Find(Kind::kFlows)->acknowledged->who, "kim");
  EXPECT_EQ(world.Until(What::kEscalated, World::Skewed(world.plan, 1000, 0, 3), 5), 1);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kPage);
  EXPECT_FALSE(world.Find(Kind::kFlows)->acknowledged);
  EXPECT_FALSE(world.detector.Acknowledge("flows/web/10.9.9.9", "kim", 5));
}

// Of two servers neither can have more than twice its share: all of it is enough.
TEST(SkewTest, EverythingOnOneOfTwoIsAPage) {
  World world(EvenPool("web", 2));
  world.Run(60, World::Even(world.plan, 500));
  World::Rates rates = World::Even(world.plan, 500);
  rates.flows = {490, 10};
  EXPECT_EQ(world.Until(What::kRaised, rates, 10), 1);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kPage);
  EXPECT_EQ(world.Find(Kind::kFlows)->name, "web-1");
}

TEST(SkewTest, AnUpdateThatConcentratesIsSeenThoughTheMinuteBeforeWasEven) {
  World world;
  world.Run(300, World::Even(world.plan, 60));
  PoolPlan next = world.plan;
  next.generation = 8;
  next.revision = 42;
  SetShares({.1, .1, .1, .1, .1, .1, .1, .1, .11, .09}, &next);
  world.Publish(next);
  // 60 flows a second: half a minute of data is needed where the windows go on.
  EXPECT_LE(world.Until(What::kRaised, World::Skewed(next, 60, 0, 6), 60), 10);
  EXPECT_EQ(world.Find(Kind::kFlows)->revision, 42u);
}

TEST(SkewTest, ANewGenerationIsJudgedByItsOwnShares) {
  World world;
  world.Run(120, World::Even(world.plan, 1000));
  PoolPlan next = world.plan;
  next.generation = 8;
  SetShares({.28, .08, .08, .08, .08, .08, .08, .08, .08, .08}, &next);
  world.Publish(next);
  EXPECT_TRUE(world.Run(400, World::Even(next, 1000)).empty());
}

TEST(SkewTest, AGenerationThatChangesOtherPoolsKeepsTheWindows) {
  World world;
  world.Run(290, World::Skewed(world.plan, 200, 0, 1.6));
  PoolPlan next = world.plan;
  next.generation = 8;
  next.since_unix_ns = world.now.unix_ns;
  world.Publish(next);
  EXPECT_LE(world.Until(What::kRaised, World::Skewed(world.plan, 200, 0, 1.6), 300), 15);
  EXPECT_EQ(world.Report().unchanged_since_unix_ns, kStart - 3600 * kSecond);
}

// Counters that were read between the swap and the plan, or before: of another table.
TEST(SkewTest, ReadingsOfAnotherGenerationAreNotJudged) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.generation = 8;
  EXPECT_TRUE(world.Run(60, World::Skewed(world.plan, 1000, 0, 9)).empty());
  world.generation.reset();
  EXPECT_TRUE(world.Run(60, World::Even(world.plan, 1000)).empty());
}

TEST(SkewTest, WhatCameInBeforeThePlanIsNotCounted) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  PoolPlan next = world.plan;
  next.generation = 8;
  SetShares({.3, .3, .05, .05, .05, .05, .05, .05, .05, .05}, &next);
  world.Publish(next);
  EXPECT_TRUE(world.Second(World::Even(EvenPool("web", 10), 1000)).empty());
  EXPECT_TRUE(world.Run(60, World::Even(next, 1000)).empty());
}

TEST(SkewTest, ACounterThatBeginsAnewIsNoBurst) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  World other(world.plan);
  // As after a restart that lost the counters: the reading falls to small numbers, then goes on.
  Reading reading;
  PoolReading& pool = reading.pools.emplace_back();
  pool.pool = "web";
  pool.generation = 7;
  for (const ServerPlan& server : world.plan.servers) {
    pool.servers.push_back({.address = server.address, .packets = 1, .bytes = 1, .new_flows = 1});
  }
  world.now.steady_ns += kSecond;
  EXPECT_TRUE(world.detector.Tick(reading, world.now).empty());
  for (ServerReading& server : pool.servers) server.new_flows += 100;
  world.now.steady_ns += kSecond;
  EXPECT_TRUE(world.detector.Tick(reading, world.now).empty());
}

TEST(StarvedTest, WhoGetsNothingIsATicket) {
  World world;
  world.Run(120, World::Even(world.plan, 500));
  World::Rates rates = World::Even(world.plan, 500);
  rates.flows[4] = 0;
  const int seconds = world.Until(What::kRaised, rates, 120);
  EXPECT_LE(seconds, 70);
  const Alarm* alarm = world.Find(Kind::kStarved);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kTicket);
  EXPECT_EQ(alarm->name, "web-5");
  EXPECT_THAT(alarm->text, ::testing::HasSubstr("web-5 gets"));
}

TEST(StarvedTest, LessThanHalfIsATicket) {
  World world;
  World::Rates rates = World::Even(world.plan, 5000);
  rates.flows[4] *= 0.4;
  EXPECT_LE(world.Until(What::kRaised, rates, 200), 200);
  EXPECT_NE(world.Find(Kind::kStarved), nullptr);
}

TEST(StarvedTest, SixTenthsOfAShareAreEnough) {
  World world;
  World::Rates rates = World::Even(world.plan, 5000);
  rates.flows[4] *= 0.6;
  EXPECT_TRUE(world.Run(600, rates).empty());
}

TEST(StarvedTest, TheOthersOfOneThatHasTooMuchAreNoAlarmsOfTheirOwn) {
  World world(EvenPool("web", 4));
  World::Rates rates = World::Even(world.plan, 1000);
  rates.flows = {1000, 0, 0, 0};
  world.Run(200, rates);
  ASSERT_EQ(world.detector.Alarms().size(), 1u);
  EXPECT_EQ(world.detector.Alarms()[0].kind, Kind::kFlows);
}

TEST(StrayTest, NewFlowsOfADrainingServerAreAnAlarm) {
  PoolPlan plan = EvenPool("web", 5);
  SetShares({.25, .25, .25, .25, 0}, &plan);
  World world(plan);
  World::Rates rates = World::Even(plan, 1000);
  rates.packets = {2500, 2500, 2500, 2500, 2000};  // its old connections
  EXPECT_TRUE(world.Run(400, rates).empty());
  rates.flows[4] = 10;  // 1 %
  EXPECT_TRUE(world.Run(100, rates).empty());
  rates.flows[4] = 60;
  EXPECT_LE(world.Until(What::kRaised, rates, 60), 30);
  ASSERT_NE(world.Find(Kind::kFlows), nullptr);
  EXPECT_EQ(world.Find(Kind::kFlows)->severity, Severity::kTicket);
  EXPECT_EQ(world.Find(Kind::kFlows)->name, "web-5");
  rates.flows[4] = 600;
  EXPECT_LE(world.Until(What::kEscalated, rates, 60), 60);
}

// Servers that vary by themselves raise what chance may do, but not without end.
TEST(DispersionTest, OfThePoolIsAllowedForUpToALimit) {
  const auto noisy = [](double first) {
    World::Rates rates;
    rates.flows = {first, 20, 40, 60, 80, 100, 120, 140, 60, 80};
    for (size_t i = 1; i < 10; ++i) rates.flows[i] *= (1000 - first) / 700;
    return rates;
  };
  World strong;
  EXPECT_LE(strong.Until(What::kRaised, noisy(300), 20), 5);
  World weak;
  const int seconds = weak.Until(What::kRaised, noisy(220), 20);
  EXPECT_GE(seconds, 4);
  EXPECT_LE(seconds, 10);
  EXPECT_EQ(weak.Find(Kind::kFlows)->evidence.dispersion, 16);
}

// Each step of a slow start is a generation with its own shares.
TEST(SlowStartTest, PartialSharesAreNoSkew) {
  World world;
  for (uint32_t step = 1; step <= 10; ++step) {
    PoolPlan next = world.plan;
    next.generation = 7 + step;
    const double part = 0.01 * step;
    std::vector<double> shares(10, (1 - part) / 9);
    shares[3] = part;
    SetShares(shares, &next);
    world.Publish(next);
    EXPECT_TRUE(world.Run(3, World::Even(next, 1000)).empty()) << step;
  }
  // One that has the whole at once is seen, too: that is not what was published.
  PoolPlan next = world.plan;
  next.generation = 30;
  std::vector<double> shares(10, 0.97 / 9);
  shares[3] = 0.03;
  SetShares(shares, &next);
  world.Publish(next);
  EXPECT_LE(world.Until(What::kRaised, World::Even(EvenPool("web", 10), 1000), 10), 3);
}

}  // namespace
}  // namespace evenkeel::detect::testing
