// SPDX-License-Identifier: Apache-2.0
//
// LB012, and the servers that must serve.
#include <gmock/gmock.h>

#include "scene.h"

namespace evenkeel::health::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Removals, AreOneInAMinuteOfFew) {
  Scene scene(Checked(6));
  scene.Fail({2, 5});
  EXPECT_THAT(scene.Out(), ElementsAre(2));
  EXPECT_THAT(scene.Held(), ElementsAre("5: rate"));
  EXPECT_EQ(scene.last().pools[0].held[0].reason, "LB012: at most 1 of 6 servers in a minute");
  EXPECT_TRUE(scene.last().pools[0].held[0].in_table);
  scene.Pass(59);
  EXPECT_THAT(scene.Out(), ElementsAre(2));
  scene.Pass(1);
  EXPECT_THAT(scene.Out(), ElementsAre(2, 5));
  EXPECT_THAT(scene.Held(), IsEmpty());
}

TEST(Removals, AreATenthOfMany) {
  Scene scene(Checked(40));
  scene.Fail({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(scene.Out(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(scene.Held(), ElementsAre("5: rate", "6: rate"));
}

TEST(Removals, TakeThoseThatAreDownLongestFirst) {
  Scene scene(Checked(6));
  scene.Fail({6});
  scene.Pass(1);
  scene.Fail({5});
  scene.Pass(1);
  scene.Fail({4});
  EXPECT_THAT(scene.Out(), ElementsAre(6));
  scene.Pass(60);
  EXPECT_THAT(scene.Out(), ElementsAre(5, 6));
}

TEST(Removals, CountThoughTheServerIsBackSince) {
  Scene scene(Checked(6));
  scene.Fail({1});
  scene.Decide();
  scene.Pass(6);
  scene.Succeed({1});
  EXPECT_THAT(scene.Out(), IsEmpty());
  scene.Fail({2});
  EXPECT_THAT(scene.Out(), IsEmpty());
  scene.Pass(54);
  EXPECT_THAT(scene.Out(), ElementsAre(2));
}

TEST(Removals, DoNotHeedAWallClockThatJumps) {
  Monitor monitor;
  Scene scene(Checked(6));
  monitor.Configure(Checked(6), {0, 0});
  for (const int server : {1, 2}) {
    for (int i = 0; i < 3; ++i) monitor.Note("web", scene.Address(server), {false, "x"}, {0, 0});
  }
  EXPECT_EQ(monitor.Decide({0, 0}).pools[0].out.size(), 1u);
  EXPECT_EQ(monitor.Decide({kSecond, 3600 * kSecond}).pools[0].out.size(), 1u);
}

struct MinimumCase {
  const char* name;
  size_t servers;
  std::optional<uint32_t> pool, all, host;
  bool single;
  std::vector<int> fail;
  bool panics;
};

class Minimum : public ::testing::TestWithParam<MinimumCase> {};

TEST_P(Minimum, IsWhatMustServe) {
  const MinimumCase& c = GetParam();
  model::Config config = Checked(c.servers);
  config.pools[0].policy.min_serving_backends = c.pool;
  config.policy.min_serving_backends = c.all;
  if (c.single) config.pools[0].policy.single_backend = {"why", "who"};
  Options options;
  options.host_policy.min_serving_backends = c.host;
  Scene scene(config, options);
  scene.Fail(c.fail);
  scene.Decide();
  scene.Pass(60);
  EXPECT_EQ(scene.Decide().panic.has_value(), c.panics);
  if (c.panics) {
    EXPECT_THAT(scene.Out(), IsEmpty());
  } else {
    EXPECT_EQ(scene.Out(), c.fail);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Health, Minimum,
    ::testing::Values(MinimumCase{"one_of_three", 3, {}, {}, {}, false, {1}, false},
                      MinimumCase{"one_of_two", 2, {}, {}, {}, false, {1}, true},
                      MinimumCase{"declared_single", 2, {}, {}, {}, true, {1}, false},
                      MinimumCase{"the_only_one", 1, {}, {}, {}, true, {1}, true},
                      MinimumCase{"a_configuration_of_one", 1, {}, {}, {}, false, {}, false},
                      MinimumCase{"of_the_pool", 5, 4, {}, {}, false, {1, 2}, true},
                      MinimumCase{"just_enough", 6, 4, {}, {}, false, {1, 2}, false},
                      MinimumCase{"of_all_pools", 5, 2, 4, {}, false, {1, 2}, true},
                      MinimumCase{"of_the_host", 5, {}, 2, 4, false, {1, 2}, true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Minimum, SaysWhatItSaw) {
  Scene scene(Checked(2));
  scene.Fail({1});
  EXPECT_EQ(scene.Decide().panic.value().why, "1 server healthy, at least 2 must serve");
}

TEST(Minimum, IsKeptWhenTheConfigurationTakesWhatServed) {
  model::Config config = Checked(5);
  config.pools[0].health_check->panic = model::HealthCheck::Panic::kHoldLast;
  Scene scene(config);
  scene.Fail({1});
  scene.Decide();
  scene.Pass(60);
  scene.Fail({2});
  EXPECT_THAT(scene.Out(), ElementsAre(1, 2));
  config.pools[0].backends.resize(3);  // 4 and 5 go
  scene.Configure(config);
  EXPECT_THAT(scene.Out(), ElementsAre(1)) << "the one that went last comes back";
  EXPECT_THAT(scene.Held(), ElementsAre("2: panic"));
}

}  // namespace
}  // namespace evenkeel::health::testing
