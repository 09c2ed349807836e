// SPDX-License-Identifier: Apache-2.0
//
// What somebody answers for: exceptions of a pool, and overrides of a request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kHour = 3'600'000'000'000;

// Breaks LB001, LB006 and LB007.
model::Config Lopsided() {
  model::Config config = WebWith(4);
  config.pools[0].backends[0].weight = 1000;
  for (size_t i = 1; i < 4; ++i) config.pools[0].backends[i].weight = 10;
  return config;
}

Verdict JudgeLopsided(std::vector<Override> overrides,
                      std::vector<model::RuleException> exceptions = {}) {
  const model::Config base = WebWith(4);
  model::Config candidate = Lopsided();
  candidate.pools[0].policy.exceptions = std::move(exceptions);
  return JudgeChange(&base, candidate, LiveFactsFor(candidate), {.overrides = std::move(overrides)})
      .verdict;
}

Override Of(const char* rule, int64_t expires = kNow + kHour) {
  return {rule, "move to the new hall", "kim", expires};
}

TEST(Override, TurnsTheBlocksOfItsRuleIntoWarnings) {
  EXPECT_THAT(BlockingRules(JudgeLopsided({})), ElementsAre("LB001", "LB006", "LB007"));
  const Verdict verdict = JudgeLopsided({Of("LB001"), Of("LB006")});
  EXPECT_THAT(BlockingRules(verdict), ElementsAre("LB007"));
  EXPECT_THAT(ViolationsOf(verdict, "LB001")[0].limit,
              HasSubstr("overridden by kim until 2027-01-01T13:00:00Z: move to the new hall"));
  EXPECT_FALSE(JudgeLopsided({Of("LB001"), Of("LB006"), Of("LB007")}).refused());
}

TEST(Override, HasNoEffectOnceItExpired) {
  EXPECT_THAT(BlockingRules(JudgeLopsided({Of("LB001", kNow), Of("LB006", kNow + 1)})),
              ElementsAre("LB001", "LB007"));
}

TEST(Override, OfWhatHasNoneIsAnErrorThatNamesIt) {
  for (const char* rule :
       {"LB002", "LB008", "LB009", "LB011", "LB013", "LB999", "backend-share", ""}) {
    const model::Config config = WebWith(4);
    const Verdict verdict =
        JudgeChange(nullptr, config, LiveFactsFor(config), {.overrides = {Of(rule)}}).verdict;
    ASSERT_THAT(BlockingRules(verdict), ElementsAre("guard")) << rule;
    EXPECT_EQ(verdict.violations[0].observed, std::string("an override of ") + rule);
  }
}

TEST(Override, NamesItsReasonAndAuthor) {
  EXPECT_TRUE(JudgeLopsided({{"LB001", "", "kim", kNow + kHour}}).refused());
  EXPECT_TRUE(JudgeLopsided({{"LB001", "why", "", kNow + kHour}}).refused());
}

TEST(Override, DoesNotExcuseALoosenedPolicy) {
  model::Config config = WebWith(4);
  config.pools[0].policy.max_share = 1;
  const Verdict verdict =
      JudgeChange(nullptr, config, LiveFactsFor(config), {.overrides = {Of("LB001")}}).verdict;
  EXPECT_THAT(BlockingRules(verdict), ElementsAre("LB001"));
}

TEST(Override, DoesNotLetAWrongTableThrough) {
  auto broken = std::make_shared<BuiltFleet>(*Built(WebWith(4)));
  auto pool = std::make_shared<BuiltPool>(*broken->pools[0]);
  pool->digest = Digest{};
  broken->pools[0] = pool;
  const Judgement judgement =
      Judge(broken, nullptr, LiveFactsFor(WebWith(4)), {.overrides = {Of("LB002")}});
  EXPECT_THAT(BlockingRules(judgement.verdict), ElementsAre("LB002", "guard"));
}

TEST(Exception, TurnsTheBlocksOfItsRuleIntoWarnings) {
  const Verdict verdict = JudgeLopsided({}, {{"LB001", "a canary", "web team"},
                                             {"LB006", "a canary", "web team"},
                                             {"LB007", "a canary", "web team"}});
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  EXPECT_THAT(ViolationsOf(verdict, "LB007")[0].limit,
              HasSubstr("exception of the pool: a canary (web team)"));
}

TEST(Exception, IsOfItsPoolAlone) {
  model::Config config = Lopsided();
  config.pools[0].policy.exceptions = {{"LB001", "a canary", "web team"},
                                       {"LB007", "a canary", "web team"}};
  config.pools.push_back(config.pools[0]);
  config.pools[1].name = "api";
  EXPECT_FALSE(JudgeChange(nullptr, config).verdict.refused());
  config.pools[1].policy.exceptions.clear();
  const Verdict verdict = JudgeChange(nullptr, config).verdict;
  ASSERT_THAT(BlockingRules(verdict), ElementsAre("LB001", "LB007"));
  EXPECT_EQ(verdict.violations[0].pool, "api");
}

TEST(Exception, OfWhatHasNoneIsRefusedAndNamed) {
  for (const char* rule :
       {"LB002", "LB008", "LB009", "LB013", "LB015", "LB016", "LB018", "LB042"}) {
    model::Config config = WebWith(4);
    config.pools[0].policy.exceptions = {{rule, "why", "who"}};
    const Verdict verdict = JudgeChange(nullptr, config).verdict;
    ASSERT_THAT(BlockingRules(verdict), ElementsAre("guard")) << rule;
    EXPECT_EQ(verdict.violations[0].field, "pools[0].policy.exceptions[0].rule");
    EXPECT_EQ(verdict.violations[0].pool, "web");
  }
}

}  // namespace
}  // namespace evenkeel::guard::testing
