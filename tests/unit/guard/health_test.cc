// SPDX-License-Identifier: Apache-2.0
//
// What health may do to a table: take servers out as long as those that are left may have what they
// then get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

model::Config Without(model::Config config, std::initializer_list<size_t> out) {
  for (const size_t i : out) config.pools[0].backends[i].state = model::AdminState::kDisabled;
  return config;
}

Judgement Health(const model::Config& running, const model::Config& candidate) {
  const auto built = Built(running);
  return JudgeHealth(Built(candidate, built), built, Facts{});
}

TEST(Health, TakesOutWhatLeavesEnough) {
  const Judgement judgement = Health(WebWith(8), Without(WebWith(8), {0, 1, 2}));
  EXPECT_THAT(BlockingRules(judgement.verdict), IsEmpty())
      << "three of eight are more than an update may remove, and health is no update";
  ASSERT_TRUE(judgement.approval.has_value());
  EXPECT_EQ(judgement.approval->base(), Built(WebWith(8))->digest);
  EXPECT_EQ(judgement.approval->digest(), Built(Without(WebWith(8), {0, 1, 2}))->digest);
}

TEST(Health, NeverTakesOutTheLastButOne) {
  EXPECT_THAT(BlockingRules(Health(WebWith(3), Without(WebWith(3), {0, 1})).verdict),
              ElementsAre("LB001", "LB003"));
  EXPECT_THAT(BlockingRules(Health(WebWith(3), Without(WebWith(3), {0})).verdict), IsEmpty());
}

// Not even one host alone: that is for a person to decide.
TEST(Health, NeverConcentratesTraffic) {
  model::Config config = WebWith(4);
  config.pools[0].backends[0].weight = 300;
  EXPECT_THAT(BlockingRules(Health(config, Without(config, {3})).verdict), ElementsAre("LB001"));
  EXPECT_THAT(BlockingRules(JudgeChange(&config, Without(config, {3})).verdict), IsEmpty())
      << "the drain of one host";
  config.pools[0].backends[0].weight = 200;
  EXPECT_THAT(BlockingRules(Health(config, Without(config, {3})).verdict), IsEmpty());
}

TEST(Health, APoolThatWasBadAlreadyDoesNotHoldUpTheOthers) {
  model::Config config = WebWith(1);
  config.pools.push_back(MakePool("api", 4, 7));
  config.vips.push_back({"api", Ip("192.0.2.11"), 443, model::Protocol::kTcp, "api"});
  model::Config candidate = config;
  candidate.pools[1].backends[0].state = model::AdminState::kDisabled;
  EXPECT_THAT(BlockingRules(Health(config, candidate).verdict), IsEmpty());
}

TEST(Health, APoolOfOneServerKeepsIt) {
  model::Config config = WebWith(1);
  config.pools[0].policy.single_backend = {{.reason = "a cache", .owner = "ann"}};
  EXPECT_THAT(BlockingRules(Health(config, Without(config, {0})).verdict), ElementsAre("LB003"));
}

TEST(Health, BringsBackWhoeverComes) {
  EXPECT_THAT(BlockingRules(Health(Without(WebWith(4), {0, 1}), WebWith(4)).verdict), IsEmpty());
}

// The policy of the pool is asked, and that of the host.
TEST(Health, KeepsTheDeclaredMinimum) {
  model::Config config = WebWith(5);
  config.pools[0].policy.min_serving_backends = 4;
  EXPECT_THAT(BlockingRules(Health(config, Without(config, {0, 1})).verdict), ElementsAre("LB003"));
  EXPECT_THAT(BlockingRules(Health(config, Without(config, {0})).verdict), IsEmpty());
}

}  // namespace
}  // namespace evenkeel::guard::testing
