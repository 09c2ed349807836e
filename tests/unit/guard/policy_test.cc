// SPDX-License-Identifier: Apache-2.0
//
// A pool's policy tightens; what would loosen is refused and named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::HasSubstr;

struct Loosened {
  const char* name;
  const char* rule;
  const char* field;
  std::function<void(model::Policy&)> set;
};

class LoosenedPolicy : public ::testing::TestWithParam<Loosened> {};

TEST_P(LoosenedPolicy, IsRefusedAndNamed) {
  model::Config config = WebWith(4);
  GetParam().set(config.pools[0].policy);
  const Verdict verdict = JudgeChange(nullptr, config).verdict;
  EXPECT_EQ(BlockingRules(verdict), std::vector<std::string>{GetParam().rule});
  const std::string field = std::string("pools[0].policy.") + GetParam().field;
  EXPECT_EQ(verdict.violations[0].field, field);
  EXPECT_THAT(verdict.violations[0].limit, HasSubstr("may only tighten"));
  EXPECT_EQ(ApplyFixes(nullptr, config, GetParam().rule), WebWith(4));
}

INSTANTIATE_TEST_SUITE_P(
    Guard, LoosenedPolicy,
    ::testing::Values(
        Loosened{"min_serving_1", "LB003", "min_serving_backends",
                 [](auto& p) { p.min_serving_backends = 1; }},
        Loosened{"min_serving_0", "LB003", "min_serving_backends",
                 [](auto& p) { p.min_serving_backends = 0; }},
        Loosened{"share_factor", "LB001", "max_share_factor",
                 [](auto& p) { p.max_share_factor = 2.01; }},
        Loosened{"share_factor_below_1", "LB001", "max_share_factor",
                 [](auto& p) { p.max_share_factor = 0.9; }},
        Loosened{"share", "LB001", "max_share", [](auto& p) { p.max_share = 0.81; }},
        Loosened{"share_nan", "LB001", "max_share", [](auto& p) { p.max_share = std::nan(""); }},
        Loosened{"share_zero", "LB001", "max_share", [](auto& p) { p.max_share = 0; }},
        Loosened{"removed", "LB005", "max_removed_fraction",
                 [](auto& p) { p.max_removed_fraction = 0.26; }},
        Loosened{"removed_negative", "LB005", "max_removed_fraction",
                 [](auto& p) { p.max_removed_fraction = -1; }},
        Loosened{"remapped", "LB006", "max_remapped_fraction",
                 [](auto& p) { p.max_remapped_fraction = 0.31; }},
        Loosened{"ratio", "LB007", "max_weight_ratio", [](auto& p) { p.max_weight_ratio = 20.5; }}),
    [](const auto& test) { return std::string(test.param.name); });

// Passes with the default, is refused with the policy.
struct Tightened {
  const char* name;
  const char* rule;
  size_t backends;
  std::function<void(model::Policy&)> set;
  std::function<void(model::Pool&)> change;
};

class TightenedPolicy : public ::testing::TestWithParam<Tightened> {};

TEST_P(TightenedPolicy, RefusesWhatTheDefaultLetsPass) {
  const Tightened& c = GetParam();
  model::Config base = WebWith(c.backends);
  model::Config candidate = base;
  c.change(candidate.pools[0]);
  EXPECT_FALSE(JudgeChange(&base, candidate).verdict.refused());
  c.set(base.pools[0].policy);
  c.set(candidate.pools[0].policy);
  ASSERT_FALSE(JudgeChange(nullptr, base).verdict.refused());
  EXPECT_EQ(BlockingRules(JudgeChange(&base, candidate).verdict), std::vector<std::string>{c.rule});
  const model::Config fixed = ApplyFixes(&base, candidate, c.rule);
  EXPECT_NE(fixed, candidate);
  EXPECT_FALSE(JudgeChange(&base, fixed).verdict.refused());
}

INSTANTIATE_TEST_SUITE_P(
    Guard, TightenedPolicy,
    ::testing::Values(
        Tightened{"min_serving", "LB003", 5, [](auto& p) { p.min_serving_backends = 5; },
                  [](auto& pool) { pool.backends.pop_back(); }},
        Tightened{"share", "LB001", 4, [](auto& p) { p.max_share = 0.3; },
                  [](auto& pool) { pool.backends[0].weight = 150; }},
        Tightened{"removed", "LB005", 10, [](auto& p) { p.max_removed_fraction = 0.1; },
                  [](auto& pool) { pool.backends.resize(8); }},
        Tightened{"remapped", "LB006", 4, [](auto& p) { p.max_remapped_fraction = 0.05; },
                  [](auto& pool) { pool.backends[0].weight = 200; }},
        Tightened{"ratio", "LB007", 4, [](auto& p) { p.max_weight_ratio = 1.5; },
                  [](auto& pool) { pool.backends[0].weight = 160; }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Policy, FactorAppliesToCapacity) {
  model::Config config = WebWith(4);
  for (size_t i = 0; i < 4; ++i) config.pools[0].backends[i].capacity = i == 0 ? 600 : 1000;
  EXPECT_FALSE(JudgeChange(nullptr, config).verdict.refused());  // 1.5x
  config.pools[0].policy.max_share_factor = 1.4;
  EXPECT_EQ(BlockingRules(JudgeChange(nullptr, config).verdict), std::vector<std::string>{"LB001"});
  EXPECT_FALSE(JudgeChange(nullptr, ApplyFixes(nullptr, config, "LB001")).verdict.refused());
}

TEST(Policy, SingleAndMinimumContradict) {
  model::Config config = WebWith(4);
  config.pools[0].policy.single_backend = model::SingleBackend{"why", "who"};
  config.pools[0].policy.min_serving_backends = 2;
  EXPECT_EQ(BlockingRules(JudgeChange(nullptr, config).verdict), std::vector<std::string>{"LB003"});
}

TEST(Policy, AShareThatNoWeightsReachIsNamed) {
  model::Config config = WebWith(2);
  config.pools[0].policy.max_share = 0.4;
  const auto violations = ViolationsOf(JudgeChange(nullptr, config).verdict, "LB001");
  ASSERT_FALSE(violations.empty());
  EXPECT_THAT(violations[0].fix, HasSubstr("policy.max_share: raise it, or serve from more"));
}

// --- Three levels ---

struct Level {
  const char* name;
  std::function<void(model::Config&, Facts&, model::Policy)> set;
};

class PolicyLevels : public ::testing::TestWithParam<Level> {
 protected:
  Verdict JudgeWith(const model::Policy& policy) {
    model::Config config = WebWith(4);
    config.pools[0].backends[0].weight = 150;
    Facts facts;
    GetParam().set(config, facts, policy);
    return JudgeChange(nullptr, config, facts).verdict;
  }
};

TEST_P(PolicyLevels, EachTightens) {
  EXPECT_FALSE(JudgeWith({}).refused());
  model::Policy policy;
  policy.max_share = 0.3;
  EXPECT_EQ(BlockingRules(JudgeWith(policy)), std::vector<std::string>{"LB001"});
  policy = {};
  policy.max_weight_ratio = 1.2;
  EXPECT_EQ(BlockingRules(JudgeWith(policy)), std::vector<std::string>{"LB007"});
  policy = {};
  policy.min_serving_backends = 5;
  EXPECT_EQ(BlockingRules(JudgeWith(policy)), std::vector<std::string>{"LB003"});
}

INSTANTIATE_TEST_SUITE_P(
    Guard, PolicyLevels,
    ::testing::Values(Level{"host", [](auto&, auto& facts, auto p) { facts.host_policy = p; }},
                      Level{"all_pools", [](auto& config, auto&, auto p) { config.policy = p; }},
                      Level{"pool",
                            [](auto& config, auto&, auto p) { config.pools[0].policy = p; }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Policy, TheStricterWins) {
  model::Config config = WebWith(4);
  config.pools[0].backends[0].weight = 150;  // a third
  Facts facts;
  facts.host_policy.max_share = 0.45;
  config.policy.max_share = 0.3;
  config.pools[0].policy.max_share = 0.4;
  EXPECT_EQ(BlockingRules(JudgeChange(nullptr, config, facts).verdict),
            std::vector<std::string>{"LB001"});
  config.pools[0].policy.exceptions = {{"LB001", "a big host", "web team"}};
  EXPECT_FALSE(JudgeChange(nullptr, config, facts).verdict.refused());
}

TEST(Policy, ALoosenedOneForAllPoolsIsRefusedOnceAndNamed) {
  model::Config config = WebWith(4);
  config.pools.push_back(MakePool("api", 4, 7));
  config.policy.max_removed_fraction = 0.9;
  const Verdict verdict = JudgeChange(nullptr, config).verdict;
  ASSERT_EQ(verdict.violations.size(), 1u);
  EXPECT_EQ(verdict.violations[0].rule, "LB005");
  EXPECT_EQ(verdict.violations[0].field, "policy.max_removed_fraction");
  EXPECT_FALSE(JudgeChange(nullptr, ApplyFixes(nullptr, config, "LB005")).verdict.refused());
}

TEST(Policy, ForAllPoolsBelongsToTheState) {
  const auto plain = Built(WebWith(4));
  model::Config config = WebWith(4);
  config.policy.max_share = 0.4;
  const auto with = Built(config, plain);
  EXPECT_FALSE(with->HasConfigOf(*plain));
  EXPECT_EQ(with->ToConfig(), config);
  EXPECT_EQ(with->digest, plain->digest);  // packets do not see it
}

}  // namespace
}  // namespace evenkeel::guard::testing
