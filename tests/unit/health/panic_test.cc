// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "scene.h"

namespace evenkeel::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using PanicMode = model::HealthCheck::Panic;

model::Config WithPanic(PanicMode mode, size_t n = 8) {
  model::Config config = Checked(n);
  config.pools[0].health_check->panic = mode;
  return config;
}

// 1 and 2 are out, then 3, 4 and 5 fail: 3 of 8 are healthy.
Scene InPanic(PanicMode mode) {
  Scene scene(WithPanic(mode));
  scene.Fail({1});
  scene.Decide();
  scene.Pass(60);
  scene.Fail({2});
  EXPECT_THAT(scene.Out(), ElementsAre(1, 2));
  scene.Fail({3, 4, 5});
  return scene;
}

TEST(Panic, HalfIsEnough) {
  Scene scene(Checked(8));
  scene.Fail({1, 2, 3, 4});
  EXPECT_FALSE(scene.Decide().panic);
}

TEST(Panic, SendsToAll) {
  Scene scene = InPanic(PanicMode::kKeepAll);
  EXPECT_THAT(scene.Out(), IsEmpty());
  const PoolDecision& pool = scene.last().pools[0];
  ASSERT_TRUE(pool.panic);
  EXPECT_EQ(pool.panic->why, "LB011: 3 of 8 servers healthy, at least 50.0 %");
  EXPECT_EQ(pool.panic->since_unix_ns, scene.now().unix_ns);
  EXPECT_FALSE(pool.withdraw);
  ASSERT_EQ(scene.last().panics.size(), 1u);
  EXPECT_TRUE(scene.last().panics[0].begins);
  EXPECT_EQ(scene.last().panics[0].pool, "web");
  EXPECT_THAT(scene.Held(),
              ElementsAre("1: panic", "2: panic", "3: panic", "4: panic", "5: panic"));
  EXPECT_THAT(scene.last().panics, IsEmpty()) << "told once";
}

TEST(Panic, HoldsTheLast) {
  Scene scene = InPanic(PanicMode::kHoldLast);
  EXPECT_THAT(scene.Out(), ElementsAre(1, 2));
  scene.Pass(120);
  EXPECT_THAT(scene.Out(), ElementsAre(1, 2)) << "nobody else goes";
  scene.Succeed({1});
  EXPECT_THAT(scene.Out(), ElementsAre(2)) << "who is well comes back";
}

TEST(Panic, AsksForWithdrawal) {
  Scene scene = InPanic(PanicMode::kWithdraw);
  EXPECT_THAT(scene.Out(), IsEmpty());
  EXPECT_TRUE(scene.last().pools[0].withdraw);
}

TEST(Panic, IsLeftWhenEnoughHaveBeenWellForLongEnough) {
  Scene scene(Checked(10));
  scene.Fail({1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(scene.Decide().panic);
  scene.Pass(10);
  scene.Succeed({1});  // 5 of 10
  scene.Decide();
  scene.Pass(60);
  EXPECT_TRUE(scene.Decide().panic) << "half would not have begun it, but does not end it";
  scene.Succeed({2});  // 6 of 10
  scene.Decide();
  scene.Pass(9);
  EXPECT_TRUE(scene.Decide().panic);
  scene.Pass(1);
  EXPECT_FALSE(scene.Decide().panic);
  ASSERT_EQ(scene.last().panics.size(), 1u);
  EXPECT_FALSE(scene.last().panics[0].begins);
  EXPECT_EQ(scene.last().panics[0].why, "6 of 10 servers healthy for 10 s");
  EXPECT_THAT(scene.Out(), ElementsAre(3)) << "and what is down still goes one by one";
}

TEST(Panic, ALapseStartsTheWaitAnewThoughNobodyAskedMeanwhile) {
  Scene scene(Checked(10));
  scene.Fail({1, 2, 3, 4, 5, 6});
  scene.Decide();
  scene.Pass(10);
  scene.Succeed({1, 2});
  scene.Decide();
  scene.Pass(9);
  scene.Fail({7});  // 5 of 10 for no time at all
  scene.Succeed({3});
  scene.Pass(1);
  EXPECT_TRUE(scene.Decide().panic);
  scene.Pass(9);
  EXPECT_FALSE(scene.Decide().panic);
}

TEST(Panic, OfTwoIsLeftWhenBothAreWell) {
  Scene scene(Checked(2));
  scene.Fail({1});
  EXPECT_TRUE(scene.Decide().panic);
  scene.Pass(100);
  EXPECT_TRUE(scene.Decide().panic);
  scene.Succeed({1});
  scene.Decide();
  scene.Pass(10);
  EXPECT_FALSE(scene.Decide().panic);
}

TEST(Panic, ThoseThatWaitServeToo) {
  model::Config config = Checked(4);
  config.pools[0].health_check->start = model::HealthCheck::Start::kDown;
  Scene scene(config);
  config.pools[0].backends.push_back(Checked(5).pools[0].backends[4]);
  scene.Configure(config);
  EXPECT_THAT(scene.Out(), ElementsAre(5));
  scene.Fail({1, 2, 3});
  EXPECT_THAT(scene.Out(), IsEmpty());
}

}  // namespace
}  // namespace evenkeel::health::testing
