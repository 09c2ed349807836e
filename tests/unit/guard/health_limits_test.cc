// SPDX-License-Identifier: Apache-2.0
#include "control/guard/health_limits.h"

#include <gtest/gtest.h>

#include <vector>

namespace evenkeel::guard {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'000'000 * kSecond;

struct FailureCase {
  const char* name;
  size_t serving, healthy;
  bool holds;
};

class MassFailure : public ::testing::TestWithParam<FailureCase> {};

TEST_P(MassFailure, IsFewerThanHalf) {
  const auto& [name, serving, healthy, holds] = GetParam();
  EXPECT_EQ(JudgeMassFailure({serving, healthy}).holds, holds);
}

INSTANTIATE_TEST_SUITE_P(Guard, MassFailure,
                         ::testing::Values(FailureCase{"half", 8, 4, false},
                                           FailureCase{"fewer", 8, 3, true},
                                           FailureCase{"one_of_two", 2, 1, false},
                                           FailureCase{"one_of_three", 3, 1, true},
                                           FailureCase{"the_only_one", 1, 0, true},
                                           FailureCase{"all_well", 8, 8, false},
                                           FailureCase{"nothing_serves", 0, 0, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(MassFailure, SaysWhatItSaw) {
  const HealthLimit limit = JudgeMassFailure({8, 3});
  EXPECT_EQ(limit.observed, "3 of 8 servers healthy");
  EXPECT_EQ(limit.limit, "at least 50.0 %");
}

struct RemovalCase {
  const char* name;
  size_t serving;
  std::vector<int64_t> ages;  // of removals, in seconds
  size_t allowed;
};

class HealthRemovals : public ::testing::TestWithParam<RemovalCase> {};

TEST_P(HealthRemovals, AreATenthInAMinute) {
  std::vector<int64_t> removals;
  for (const int64_t age : GetParam().ages) removals.push_back(kNow - age * kSecond);
  const size_t allowed = RemovalsAllowed(GetParam().serving, removals, kNow);
  EXPECT_EQ(allowed, GetParam().allowed);
  EXPECT_FALSE(JudgeRemovals(allowed, GetParam().serving, removals, kNow).holds);
  EXPECT_TRUE(JudgeRemovals(allowed + 1, GetParam().serving, removals, kNow).holds);
}

INSTANTIATE_TEST_SUITE_P(Guard, HealthRemovals,
                         ::testing::Values(RemovalCase{"one_of_few", 3, {}, 1},
                                           RemovalCase{"one_of_few_again", 3, {59}, 0},
                                           RemovalCase{"a_minute_later", 3, {60}, 1},
                                           RemovalCase{"a_tenth", 45, {}, 4},
                                           RemovalCase{"the_rest_of_a_tenth", 45, {5, 30, 90}, 2},
                                           RemovalCase{"more_than_allowed", 20, {1, 2, 3}, 0},
                                           RemovalCase{"from_the_future", 3, {-100}, 0}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace evenkeel::guard
