// SPDX-License-Identifier: Apache-2.0
//
// Links 1 and 2: what needs no traffic to be known.
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using ::testing::HasSubstr;
using What = AlarmEvent::What;

World::Rates Nothing(const PoolPlan& plan) { return World::Even(plan, 0); }

// The founding outage: somebody's change leaves one server of many with everything.
TEST(ConcentrationTest, OneServerWithEverythingPagesAtOnce) {
  World world(EvenPool("web", 5));
  world.Run(60, World::Even(world.plan, 100));
  world.detector.NoteChange({.revision = 42,
                             .author = "kim",
                             .reason = "new rack",
                             .summary = "web: web-2..web-5 removed",
                             .unix_ns = world.now.unix_ns,
                             .pools = {"web"},
                             .undo = "evenkeel rollback 41"});
  PoolPlan next = EvenPool("web", 1);
  next.revision = 42;
  next.generation = 8;
  world.Publish(next);
  const std::vector<AlarmEvent> events = world.Second(World::Even(next, 100));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kRaised);
  const Alarm& alarm = events[0].alarm;
  EXPECT_EQ(alarm.id, "concentration/web/10.0.0.1");
  EXPECT_EQ(alarm.severity, Severity::kPage);
  EXPECT_EQ(alarm.diagnosis, Diagnosis::kWeights);
  EXPECT_THAT(alarm.text, HasSubstr("web-1 has all of the pool"));
  EXPECT_THAT(alarm.text, HasSubstr("Revision 42"));
  ASSERT_EQ(alarm.changes.size(), 1u);
  EXPECT_EQ(alarm.changes[0].author, "kim");
  EXPECT_EQ(alarm.undo, "evenkeel rollback 41");
  EXPECT_THAT(world.detector.Objection(world.now.unix_ns - 10 * kSecond), HasSubstr("web-1"));
  EXPECT_EQ(world.detector.Objection(world.now.unix_ns + 1), "");
}

struct ShareCase {
  const char* name;
  std::vector<double> shares;
  bool page;
  bool single_backend = false;
  double limit = 0;  // of the first server
};

class LimitTest : public ::testing::TestWithParam<ShareCase> {};

TEST_P(LimitTest, Pages) {
  const ShareCase& c = GetParam();
  PoolPlan plan = EvenPool("web", static_cast<int>(c.shares.size()));
  SetShares(c.shares, &plan);
  plan.single_backend = c.single_backend;
  plan.servers[0].limit = c.limit;
  World world(plan);
  world.Run(3, Nothing(plan));
  EXPECT_EQ(world.Find(Kind::kConcentration) != nullptr, c.page);
}

INSTANTIATE_TEST_SUITE_P(
    Shares, LimitTest,
    ::testing::Values(ShareCase{"even", {.25, .25, .25, .25}, false},
                      ShareCase{"half_of_many", {.5, .25, .25}, false},
                      ShareCase{"more_than_half", {.51, .245, .245}, true},
                      ShareCase{"four_fifths_of_two", {.8, .2}, false},
                      ShareCase{"more_of_two", {.81, .19}, true},
                      ShareCase{"draining_do_not_count", {.7, .3, 0}, false},
                      ShareCase{"one", {1}, true}, ShareCase{"one_and_drained", {1, 0, 0}, true},
                      ShareCase{"declared_single", {1}, false, true},
                      ShareCase{"policy_allows_more", {.6, .2, .2}, false, false, 0.7},
                      ShareCase{"policy_allows_less", {.3, .35, .35}, true, false, 0.2}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ConcentrationTest, EndsHalfAMinuteAfterTheTableIsRight) {
  World world(EvenPool("web", 1));
  ASSERT_NE((world.Run(5, Nothing(world.plan)), world.Find(Kind::kConcentration)), nullptr);
  PoolPlan next = EvenPool("web", 5);
  next.generation = 9;
  world.Publish(next);
  EXPECT_EQ(world.Until(What::kCleared, Nothing(next), 60), 31);
}

TEST(TableTest, EqualWeightsThatFillTheRingWithTheFirst) {
  PoolPlan plan = EvenPool("web", 4);
  plan.servers[0].built = 1;
  for (size_t i = 1; i < 4; ++i) plan.servers[i].built = 0;
  World world(plan);
  world.Run(3, Nothing(plan));
  const Alarm* alarm = world.Find(Kind::kTable);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kPage);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kBuilder);
  EXPECT_THAT(alarm->text, HasSubstr("built wrongly"));
  EXPECT_EQ(world.Report().links[0].state, LinkState::kBroken);
}

struct TableCase {
  const char* name;
  double intended, built;
  std::optional<Severity> severity;
};

class TableLimitTest : public ::testing::TestWithParam<TableCase> {};

TEST_P(TableLimitTest, Judges) {
  const TableCase& c = GetParam();
  PoolPlan plan = EvenPool("web", 3);
  SetShares({c.built, .3, 0.7 - c.built}, &plan);
  plan.servers[0].intended = c.intended;
  plan.servers[2].limit = plan.servers[0].limit = 1;
  World world(plan);
  world.Run(3, Nothing(plan));
  const Alarm* alarm = world.Find(Kind::kTable);
  ASSERT_EQ(alarm != nullptr, c.severity.has_value());
  if (alarm == nullptr) return;
  EXPECT_EQ(alarm->severity, *c.severity);
}

INSTANTIATE_TEST_SUITE_P(Shares, TableLimitTest,
                         ::testing::Values(TableCase{"two_percent", .2, .2039, std::nullopt},
                                           TableCase{"more", .2, .2045, Severity::kTicket},
                                           TableCase{"less", .2, .1955, Severity::kTicket},
                                           TableCase{"two_slots", 2.0 / 65537, 4.0 / 65537,
                                                     std::nullopt},
                                           TableCase{"twice", .2, .4, Severity::kPage},
                                           TableCase{"nearly_twice", .2, .39, Severity::kTicket},
                                           TableCase{"none", .2, 0, Severity::kPage}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(KernelTest, ADigestThatDiffersPagesAfterASecond) {
  World world;
  world.Run(60, World::Even(world.plan, 1000));
  world.readback = Readback::kDiffers;
  EXPECT_EQ(world.Until(What::kRaised, World::Even(world.plan, 1000), 10), 2);
  const Alarm* alarm = world.Find(Kind::kKernel);
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->severity, Severity::kPage);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kMaps);
  EXPECT_EQ(world.Report().diagnosis, Diagnosis::kMaps);
  world.readback = Readback::kUnknown;
  EXPECT_TRUE(world.Run(120, World::Even(world.plan, 1000)).size() == 1);  // insufficient data
  EXPECT_TRUE(world.Find(Kind::kKernel)->insufficient);
  world.readback = Readback::kMatches;
  EXPECT_EQ(world.Until(What::kCleared, World::Even(world.plan, 1000), 60), 31);
}

// Read back while a publication was under way.
TEST(KernelTest, OneReadingThatDiffersIsNothing) {
  World world;
  for (int i = 0; i < 20; ++i) {
    world.readback = Readback::kDiffers;
    EXPECT_TRUE(world.Second(Nothing(world.plan)).empty());
    world.readback = Readback::kMatches;
    EXPECT_TRUE(world.Second(Nothing(world.plan)).empty());
  }
}

TEST(BackendTest, DownWithSlotsIsATicketAndNotTheBalancers) {
  World world;
  world.health[3] = Health::kDown;
  const int seconds = world.Until(What::kRaised, World::Even(world.plan, 1000), 60);
  EXPECT_EQ(seconds, 11);
  const Alarm* alarm = world.Find(Kind::kBackend);
  EXPECT_EQ(alarm->severity, Severity::kTicket);
  EXPECT_EQ(alarm->diagnosis, Diagnosis::kBackend);
  const PoolReport report = world.Report();
  EXPECT_EQ(report.verdict, Verdict::kBroken);
  EXPECT_EQ(report.diagnosis, Diagnosis::kBackend);
  EXPECT_EQ(report.links[2].state, LinkState::kHolds);
  EXPECT_EQ(report.links[4].state, LinkState::kBroken);
  EXPECT_THAT(report.text, HasSubstr("is not the cause"));
  EXPECT_EQ(world.detector.Objection(0), "");
  world.health.clear();
  EXPECT_EQ(world.Until(What::kCleared, World::Even(world.plan, 1000), 60), 31);
}

TEST(BackendTest, WhoIsOutOfTheTableIsNoAlarm) {
  PoolPlan plan = EvenPool("web", 5);
  SetShares({.25, .25, .25, .25, 0}, &plan);
  World world(plan);
  world.health[4] = Health::kDown;
  EXPECT_TRUE(world.Run(100, World::Even(plan, 1000)).empty());
}

}  // namespace
}  // namespace evenkeel::detect::testing
