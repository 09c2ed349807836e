// SPDX-License-Identifier: Apache-2.0
//
// What an alarm carries of the time before it.
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

Change ChangeOf(uint64_t revision, int64_t unix_ns, std::vector<std::string> pools) {
  return {.revision = revision,
          .author = "kim",
          .reason = "",
          .summary = "",
          .unix_ns = unix_ns,
          .pools = std::move(pools),
          .undo = "evenkeel rollback " + std::to_string(revision - 1)};
}

class BeforeTest : public ::testing::Test {
 protected:
  const Alarm& Skew() {
    world.Run(60, World::Even(world.plan, 1000));
    world.Run(3, World::Skewed(world.plan, 1000, 0, 3));
    return *world.Find(Kind::kFlows);
  }
  World world;
};

TEST_F(BeforeTest, ChangesOfThePoolNewestFirst) {
  world.detector.NoteChange(ChangeOf(38, kStart - 2000 * kSecond, {"web"}));
  world.detector.NoteChange(ChangeOf(39, kStart - 300 * kSecond, {"web", "api"}));
  world.detector.NoteChange(ChangeOf(40, kStart - 200 * kSecond, {"api"}));
  world.detector.NoteChange(ChangeOf(41, kStart - 100 * kSecond, {}));
  const Alarm& alarm = Skew();
  EXPECT_THAT(alarm.changes,
              ElementsAre(Field(&Change::revision, 41), Field(&Change::revision, 39)));
  EXPECT_EQ(alarm.undo, "evenkeel rollback 40");
}

TEST_F(BeforeTest, TheLastChangeIsNamedButNotUndoneWhereItIsOld) {
  world.detector.NoteChange(ChangeOf(37, kStart - 90'000 * kSecond, {"web"}));
  world.detector.NoteChange(ChangeOf(38, kStart - 80'000 * kSecond, {"web"}));
  const Alarm& alarm = Skew();
  EXPECT_THAT(alarm.changes, ElementsAre(Field(&Change::revision, 38)));
  EXPECT_EQ(alarm.undo, "");
}

TEST_F(BeforeTest, AnOldChangeIsUndoneWhereTheConfigurationSaysSo) {
  world.detector.NoteChange(ChangeOf(38, kStart - 80'000 * kSecond, {"web"}));
  PoolPlan plan = EvenPool("web", 3);
  plan.generation = 9;
  SetShares({.6, .2, .2}, &plan);
  world.Publish(plan);
  world.Run(1, World::Even(plan, 0));
  EXPECT_EQ(world.Find(Kind::kConcentration)->undo, "evenkeel rollback 37");
}

TEST_F(BeforeTest, ChangesOfHealth) {
  const auto note = [&](const char* pool, int64_t before_s) {
    world.detector.NoteHealth({.pool = pool,
                               .name = "web-2",
                               .server = Address(2),
                               .to = Health::kDown,
                               .cause = "3 probes failed",
                               .unix_ns = kStart - before_s * kSecond});
  };
  note("web", 2000);
  note("web", 500);
  note("api", 400);
  note("web", 300);
  const Alarm& alarm = Skew();
  ASSERT_EQ(alarm.health.size(), 2u);
  EXPECT_EQ(alarm.health[0].unix_ns, kStart - 300 * kSecond);
  EXPECT_EQ(alarm.health[0].cause, "3 probes failed");
}

TEST_F(BeforeTest, MemoryIsBounded) {
  for (uint64_t i = 1; i <= 100'000; ++i) {
    world.detector.NoteChange(ChangeOf(i, kStart - 100 * kSecond, {"web"}));
  }
  EXPECT_EQ(Skew().changes.size(), 3u);
}

TEST(NamesTest, AreThoseOfTheDocuments) {
  EXPECT_EQ(ToString(Kind::kFlows), "flows");
  EXPECT_EQ(ToString(Diagnosis::kFewSources), "few-sources");
  EXPECT_EQ(ToString(Severity::kPage), "page");
  EXPECT_EQ(ToString(Link::kHealth), "health");
  EXPECT_EQ(ToString(Verdict::kInsufficient), "insufficient-data");
}

TEST(NamesTest, OnlyTheBalancersFaultsAreUndone) {
  for (const Diagnosis d : {Diagnosis::kWeights, Diagnosis::kBuilder, Diagnosis::kMaps,
                            Diagnosis::kDataPath, Diagnosis::kUnexplained}) {
    EXPECT_TRUE(IsBalancer(d));
  }
  for (const Diagnosis d :
       {Diagnosis::kFewSources, Diagnosis::kUpstream, Diagnosis::kElephant, Diagnosis::kBackend}) {
    EXPECT_FALSE(IsBalancer(d));
  }
}

}  // namespace
}  // namespace evenkeel::detect::testing
