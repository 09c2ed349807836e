// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <type_traits>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

// Only the guard makes one, and nobody puts another state into it.
static_assert(!std::is_default_constructible_v<Approval>);
static_assert(
    !std::is_constructible_v<Approval, std::shared_ptr<const BuiltFleet>, std::optional<Digest>>);
static_assert(!std::is_aggregate_v<Approval>);

TEST(Approval, IsForTheJudgedStateAndItsBase) {
  const auto base = Built(WebWith(4));
  model::Config changed = WebWith(4);
  changed.pools[0].backends[0].weight = 90;
  const auto candidate = Built(changed, base);
  const Judgement first = Judge(base, nullptr, {});
  ASSERT_TRUE(first.approval.has_value());
  EXPECT_FALSE(first.approval->base().has_value());
  EXPECT_EQ(first.approval->digest(), base->digest);
  const Judgement second = Judge(candidate, base, {});
  ASSERT_TRUE(second.approval.has_value());
  EXPECT_EQ(second.approval->shared_fleet(), candidate);
  EXPECT_EQ(second.approval->base(), base->digest);
  EXPECT_NE(candidate->digest, base->digest);
}

TEST(Approval, IsAbsentExactlyWhenRefused) {
  EXPECT_TRUE(Judge(Built(WebWith(2)), nullptr, {}).approval.has_value());
  const Judgement refused = Judge(Built(WebWith(1)), nullptr, {});
  EXPECT_TRUE(refused.verdict.refused());
  EXPECT_FALSE(refused.approval.has_value());
}

TEST(Severity, HasNames) {
  EXPECT_EQ(ToString(Severity::kPass), "pass");
  EXPECT_EQ(ToString(Severity::kWarn), "warn");
  EXPECT_EQ(ToString(Severity::kBlock), "block");
}

}  // namespace
}  // namespace evenkeel::guard::testing
