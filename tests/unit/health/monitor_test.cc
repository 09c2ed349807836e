// SPDX-License-Identifier: Apache-2.0
#include "control/health/monitor.h"

#include <gmock/gmock.h>

#include "scene.h"

namespace evenkeel::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Monitor, HasNobodyOutOfAPoolThatIsWell) {
  Scene scene(Checked(4));
  EXPECT_THAT(scene.Out(), IsEmpty());
  EXPECT_FALSE(scene.monitor().has_transitions());
  scene.Succeed({1, 2, 3, 4});
  EXPECT_TRUE(scene.monitor().has_transitions()) << "no reason to wait";
  EXPECT_THAT(scene.Out(), IsEmpty());
  EXPECT_EQ(scene.last().pools[0].serving, 4u);
  EXPECT_EQ(scene.last().pools[0].healthy, 4u);
  EXPECT_EQ(scene.last().transitions.size(), 4u);
  EXPECT_FALSE(scene.monitor().has_transitions());
  EXPECT_THAT(scene.Held(), IsEmpty());
  EXPECT_THAT(scene.Transitions(), IsEmpty());
}

TEST(Monitor, TakesOutWhatFailsAtOnceAndTellsWhy) {
  Scene scene(Checked(4));
  scene.Fail({2});
  EXPECT_THAT(scene.Out(), ElementsAre(2));
  EXPECT_THAT(scene.Transitions(), ElementsAre("2 unknown -> down: 3 probes failed: refused"));
  const Transition& transition = scene.last().transitions[0];
  EXPECT_EQ(transition.pool, "web");
  EXPECT_THAT(transition.names, ElementsAre("web-2"));
  EXPECT_EQ(transition.unix_ns, scene.now().unix_ns);
  scene.Decide();
  EXPECT_THAT(scene.Transitions(), IsEmpty()) << "told once";
}

TEST(Monitor, LetsRecoveredServersReturnTogetherWhenTheirHoldsAreOver) {
  Scene scene(Checked(20));
  scene.Fail({3, 4});
  EXPECT_THAT(scene.Out(), ElementsAre(3, 4));
  scene.Pass(4);
  scene.Succeed({3, 4});
  EXPECT_THAT(scene.Out(), ElementsAre(3, 4));
  scene.Pass(1);
  EXPECT_THAT(scene.Out(), IsEmpty());
  const auto status = scene.monitor().Status("web");
  EXPECT_EQ(status[2].health, Health::kUp);
}

TEST(Monitor, WatchesOnlyPoolsWithACheckAndServersThatMayServe) {
  model::Config config = Checked(5);
  config.pools[0].backends[0].state = model::AdminState::kDraining;
  config.pools[0].backends[1].weight = 0;
  config.pools.push_back(config.pools[0]);
  config.pools[1].name = "plain";
  config.pools[1].health_check.reset();
  Scene scene(config);
  scene.Fail({1, 2});
  scene.monitor().Note("plain", scene.Address(3), {false, "x"}, scene.now());
  EXPECT_THAT(scene.Out(), IsEmpty());
  EXPECT_EQ(scene.last().pools.size(), 1u);
  EXPECT_EQ(scene.last().FindPool("plain"), nullptr);
  EXPECT_EQ(scene.last().FindPool("web")->serving, 3u);
  EXPECT_THAT(scene.monitor().Status("plain"), IsEmpty());
}

TEST(Monitor, KnowsAServerWithTwoNamesAsOne) {
  model::Config config = Checked(4);
  config.pools[0].backends.push_back(config.pools[0].backends[0]);
  config.pools[0].backends.back().name = "alias";
  Scene scene(config);
  scene.Fail({1});
  EXPECT_THAT(scene.Out(), ElementsAre(1));
  EXPECT_EQ(scene.last().pools[0].serving, 4u);
  EXPECT_THAT(scene.last().transitions.at(0).names, ElementsAre("web-1", "alias"));
}

TEST(Monitor, KeepsWhatItKnowsOfServersThatStay) {
  model::Config config = Checked(6);
  Scene scene(config);
  scene.Fail({1});
  scene.Decide();
  scene.Fail({2});
  config.pools[0].backends.erase(config.pools[0].backends.begin() + 1);  // 2 goes
  config.pools[0].backends[0].weight = 50;
  scene.Configure(config);
  EXPECT_THAT(scene.Out(), ElementsAre(1));
  EXPECT_THAT(scene.Held(), IsEmpty());
  config = Checked(6);  // 2 is back, and nothing is known of it
  scene.Configure(config);
  scene.Pass(60);
  EXPECT_THAT(scene.Out(), ElementsAre(1));
  config.pools[0].backends[0].state = model::AdminState::kDraining;
  scene.Configure(config);
  EXPECT_THAT(scene.Out(), IsEmpty()) << "what drains is not health's";
}

TEST(Monitor, TellsWhatHappenedToAServerThatIsGoneSince) {
  model::Config config = Checked(4);
  Scene scene(config);
  scene.Fail({4});
  config.pools[0].backends.pop_back();
  scene.Configure(config);
  scene.Decide();
  EXPECT_THAT(scene.Transitions(), ElementsAre("4 unknown -> down: 3 probes failed: refused"));
}

TEST(Monitor, ForgetsAPoolWithoutACheck) {
  model::Config config = Checked(4);
  Scene scene(config);
  scene.Fail({1, 2, 3});
  EXPECT_TRUE(scene.Decide().panic);
  config.pools[0].health_check.reset();
  scene.Configure(config);
  const Decision decision = scene.monitor().Decide(scene.now());
  EXPECT_THAT(decision.pools, IsEmpty());
  ASSERT_EQ(decision.panics.size(), 1u);
  EXPECT_FALSE(decision.panics[0].begins);
}

TEST(Monitor, TakesNewRiseAndFallAtTheNextResult) {
  model::Config config = Checked(4);
  Scene scene(config);
  config.pools[0].health_check->fall = 1;
  scene.Configure(config);
  scene.Fail({1});
  EXPECT_THAT(scene.Out(), ElementsAre(1));
}

TEST(Monitor, WhatWasOutBeforeARestartStaysOutUntilItsProbesSucceed) {
  Scene scene(Checked(20));
  scene.monitor().Seed({{"web", {scene.Address(1), scene.Address(2), scene.Address(3)}},
                        {"gone", {scene.Address(4)}}},
                       scene.now());
  EXPECT_THAT(scene.Out(), ElementsAre(1, 2, 3)) << "no removals: they were out";
  EXPECT_THAT(scene.Transitions().at(0),
              "1 unknown -> down: was out of the table before the restart");
  scene.Succeed({2});
  EXPECT_THAT(scene.Out(), ElementsAre(1, 3));
}

TEST(Monitor, ASeedSaysNothingAgainstProbes) {
  Scene scene(Checked(4));
  scene.Succeed({1});
  scene.monitor().Seed({{"web", {scene.Address(1)}}}, scene.now());
  EXPECT_THAT(scene.Out(), IsEmpty());
}

TEST(Start, DownMakesWhoJoinsWaitWithoutAPanic) {
  model::Config config = Checked(3);
  config.pools[0].health_check->start = model::HealthCheck::Start::kDown;
  Scene scene(config);
  EXPECT_THAT(scene.Out(), IsEmpty()) << "the first may be in the table already";
  config = Checked(9);
  config.pools[0].health_check->start = model::HealthCheck::Start::kDown;
  scene.Configure(config);
  EXPECT_THAT(scene.Out(), ElementsAre(4, 5, 6, 7, 8, 9));
  EXPECT_FALSE(scene.last().pools[0].panic);
  EXPECT_EQ(scene.last().pools[0].serving, 3u);
  scene.Succeed({4, 6});
  EXPECT_THAT(scene.Out(), ElementsAre(5, 7, 8, 9)) << "and has no hold";
  scene.Fail({1});
  EXPECT_THAT(scene.Out(), ElementsAre(1, 5, 7, 8, 9)) << "nor was the rest a removal";
}

TEST(Start, UpLetsWhoJoinsServe) {
  Scene scene(Checked(3));
  scene.Configure(Checked(9));
  EXPECT_THAT(scene.Out(), IsEmpty());
}

}  // namespace
}  // namespace evenkeel::health::testing
