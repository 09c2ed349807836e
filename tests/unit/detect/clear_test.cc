// SPDX-License-Identifier: Apache-2.0
//
// An alarm ends when the share recovers, and for no other reason.
#include "world.h"

namespace evenkeel::detect::testing {
namespace {

using What = AlarmEvent::What;

class ClearTest : public ::testing::Test {
 protected:
  ClearTest() {
    world.Run(120, World::Even(world.plan, 1000));
    world.Run(90, World::Skewed(world.plan, 1000, 0, 3));
    EXPECT_NE(world.Find(Kind::kFlows), nullptr);
  }
  World world;
};

// A login service's alert ended at night, and the concentration went on for five hours.
TEST_F(ClearTest, LessTrafficIsNoRecovery) {
  const auto night = World::Skewed(world.plan, 0.5, 0, 3);
  const std::vector<AlarmEvent> events = world.Run(5 * 3600, night);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kChanged);
  ASSERT_NE(world.Find(Kind::kFlows), nullptr);
  EXPECT_TRUE(world.Find(Kind::kFlows)->insufficient);
  // In the morning it is the same alarm.
  const int64_t since = world.Find(Kind::kFlows)->since_unix_ns;
  world.Run(60, World::Skewed(world.plan, 1000, 0, 3));
  EXPECT_FALSE(world.Find(Kind::kFlows)->insufficient);
  EXPECT_EQ(world.Find(Kind::kFlows)->since_unix_ns, since);
}

TEST_F(ClearTest, NoTrafficIsNoRecovery) {
  world.Run(3600, World::Even(world.plan, 0));
  ASSERT_NE(world.Find(Kind::kFlows), nullptr);
  EXPECT_TRUE(world.Find(Kind::kFlows)->insufficient);
}

TEST_F(ClearTest, APoolThatIsNotReadKeepsItsAlarms) {
  world.read = false;
  world.Run(600, World::Even(world.plan, 1000));
  EXPECT_TRUE(world.Find(Kind::kFlows)->insufficient);
}

TEST_F(ClearTest, EvenTrafficEndsIt) {
  const int seconds = world.Until(What::kCleared, World::Even(world.plan, 1000), 300);
  EXPECT_GE(seconds, 60 + 20);  // most of a minute, and the hold
  EXPECT_LE(seconds, 110);
}

// Little traffic, but enough of it in five minutes.
TEST_F(ClearTest, FewFlowsThatAreEvenEndItToo) {
  EXPECT_LE(world.Until(What::kCleared, World::Even(world.plan, 2), 900), 900);
}

TEST_F(ClearTest, BetweenTheThresholdsItStays) {
  world.Run(900, World::Skewed(world.plan, 1000, 0, 1.3));
  ASSERT_NE(world.Find(Kind::kFlows), nullptr);
  EXPECT_FALSE(world.Find(Kind::kFlows)->insufficient);
}

TEST_F(ClearTest, ShortCalmIsNotEnough) {
  const auto skewed = World::Skewed(world.plan, 1000, 0, 3);
  for (int i = 0; i < 20; ++i) {
    for (const AlarmEvent& event : world.Run(60, World::Even(world.plan, 1000))) {
      EXPECT_NE(event.what, What::kCleared);
    }
    world.Run(20, skewed);
  }
  EXPECT_NE(world.Find(Kind::kFlows), nullptr);
}

TEST_F(ClearTest, ARollbackEndsItAfterTheHold) {
  PoolPlan next = world.plan;
  next.generation = 9;
  SetShares({.11, .09, .1, .1, .1, .1, .1, .1, .1, .1}, &next);
  world.Publish(next);
  const int seconds = world.Until(What::kCleared, World::Even(next, 1000), 100);
  EXPECT_GE(seconds, 30);
  EXPECT_LE(seconds, 35);
}

TEST_F(ClearTest, AServerThatLeavesTakesItsAlarmAlong) {
  PoolPlan next = EvenPool("web", 10);
  next.servers.erase(next.servers.begin());
  next.generation = 9;
  world.plan = next;
  world.detector.Configure({next}, world.now);
  const std::vector<AlarmEvent> events = world.detector.Tick({}, world.now);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kCleared);
}

TEST_F(ClearTest, APoolThatLeavesTakesItsAlarmsAlong) {
  world.detector.Configure({}, world.now);
  const std::vector<AlarmEvent> events = world.detector.Tick({}, world.now);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, What::kCleared);
  EXPECT_FALSE(world.detector.Report("web", world.now));
}

TEST_F(ClearTest, ASecondTimeIsTheSameIdAndAnotherAlarm) {
  const Alarm first = *world.Find(Kind::kFlows);
  world.detector.Acknowledge(first.id, "kim", 1);
  world.Until(What::kCleared, World::Even(world.plan, 1000), 300);
  EXPECT_FALSE(world.detector.Acknowledge(first.id, "kim", 1));
  world.Until(What::kRaised, World::Skewed(world.plan, 1000, 0, 3), 30);
  const Alarm* second = world.Find(Kind::kFlows);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->id, first.id);
  EXPECT_GT(second->since_unix_ns, first.since_unix_ns);
  EXPECT_FALSE(second->acknowledged);
}

TEST(StarvedClearTest, EndsWhenItsShareIsBack) {
  World world;
  World::Rates rates = World::Even(world.plan, 1000);
  rates.flows[4] = 0;
  world.Run(120, rates);
  ASSERT_NE(world.Find(Kind::kStarved), nullptr);
  rates.flows[4] = 70;
  EXPECT_GT(world.Until(What::kCleared, rates, 300), 300);
  EXPECT_LE(world.Until(What::kCleared, World::Even(world.plan, 1000), 300), 110);
}

}  // namespace
}  // namespace evenkeel::detect::testing
