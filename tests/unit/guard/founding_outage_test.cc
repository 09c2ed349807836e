// SPDX-License-Identifier: Apache-2.0
//
// The outage: four equal servers, and an update after which one of them gets everything. However it
// is written, several rules refuse it, each with numbers and a way out that works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

struct Case {
  const char* name;
  std::function<void(model::Pool&)> spoil;
  std::vector<std::string> rules;  // at least these block
  // A rule and what its fix says.
  const char* fixed_by;
  const char* fix;
};

class FoundingOutage : public ::testing::TestWithParam<Case> {
 protected:
  FoundingOutage() : base_(WebWith(4)), candidate_(base_) { GetParam().spoil(candidate_.pools[0]); }
  const model::Config base_;
  model::Config candidate_;
};

TEST_P(FoundingOutage, IsRefusedBySeveralRules) {
  const Judgement judgement = JudgeChange(&base_, candidate_);
  EXPECT_TRUE(judgement.verdict.refused());
  EXPECT_FALSE(judgement.approval.has_value());
  EXPECT_THAT(BlockingRules(judgement.verdict), IsSupersetOf(GetParam().rules));
  for (const Violation& v : judgement.verdict.violations) {
    EXPECT_FALSE(v.observed.empty()) << v.message;
    EXPECT_FALSE(v.limit.empty()) << v.message;
    EXPECT_FALSE(v.fix.empty()) << v.message;
    EXPECT_FALSE(v.subject.empty()) << v.message;
    EXPECT_FALSE(v.field.empty()) << v.message;
  }
}

TEST_P(FoundingOutage, NamesTheNearestChange) {
  const Judgement judgement = JudgeChange(&base_, candidate_);
  const auto violations = ViolationsOf(judgement.verdict, GetParam().fixed_by);
  ASSERT_FALSE(violations.empty());
  EXPECT_THAT(violations[0].fix, HasSubstr(GetParam().fix));
}

TEST_P(FoundingOutage, EveryFixMakesItsRulePass) {
  for (const std::string& rule : GetParam().rules) {
    const model::Config fixed = ApplyFixes(&base_, candidate_, rule);
    EXPECT_NE(fixed, candidate_) << rule << " proposes nothing";
    const Judgement judgement = JudgeChange(&base_, fixed);
    EXPECT_THAT(BlockingRules(judgement.verdict), Not(::testing::Contains(rule)));
  }
}

TEST_P(FoundingOutage, IsRefusedWithoutAPastToo) {
  const Judgement judgement = JudgeChange(nullptr, candidate_);
  EXPECT_TRUE(judgement.verdict.refused());
}

void DrainAllButOne(model::Pool& pool) {
  for (size_t i = 1; i < 4; ++i) pool.backends[i].state = model::AdminState::kDraining;
}
void DisableAllButOne(model::Pool& pool) {
  for (size_t i = 1; i < 4; ++i) pool.backends[i].state = model::AdminState::kDisabled;
}
void ZeroAllButOne(model::Pool& pool) {
  for (size_t i = 1; i < 4; ++i) pool.backends[i].weight = 0;
}
void OneHeavy(model::Pool& pool) {
  pool.backends[0].weight = 1000;
  for (size_t i = 1; i < 4; ++i) pool.backends[i].weight = 1;
}
void OneServer(model::Pool& pool) {
  for (model::Backend& b : pool.backends) b.address = pool.backends[0].address;
}

INSTANTIATE_TEST_SUITE_P(
    Guard, FoundingOutage,
    ::testing::Values(Case{"removed",
                           [](model::Pool& p) { p.backends.resize(1); },
                           {"LB001", "LB003", "LB005", "LB006"},
                           "LB003",
                           "keep at least 2 of web-1..web-4 enabled"},
                      Case{"drained",
                           DrainAllButOne,
                           {"LB001", "LB003", "LB005", "LB006"},
                           "LB005",
                           "keep at least 2 of web-2..web-4 enabled"},
                      Case{"disabled",
                           DisableAllButOne,
                           {"LB001", "LB003", "LB005", "LB006"},
                           "LB001",
                           "keep at least 2 of web-1..web-4 enabled"},
                      Case{"weight_0",
                           ZeroAllButOne,
                           {"LB001", "LB003", "LB005", "LB006"},
                           "LB006",
                           "keep web-2, web-3 enabled"},
                      Case{"weights",
                           OneHeavy,
                           {"LB001", "LB006", "LB007"},
                           "LB001",
                           "lower the weight of web-1 from 1000 to at most 3"},
                      Case{"one_server_under_four_names",
                           OneServer,
                           {"LB001", "LB003", "LB005", "LB006", "LB008"},
                           "LB008",
                           "remove web-2..web-4, or give them their own addresses"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FoundingOutageNumbers, AreThoseOfTheBuiltTable) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  OneHeavy(candidate.pools[0]);
  const Judgement judgement = JudgeChange(&base, candidate);
  const auto violations = ViolationsOf(judgement.verdict, "LB001");
  ASSERT_EQ(violations.size(), 1u);
  const Violation& v = violations[0];
  EXPECT_EQ(v.subject, "pools/web/backends/web-1");
  EXPECT_EQ(v.field, "pools[0].backends[0]");
  EXPECT_EQ(v.pool, "web");
  EXPECT_EQ(v.name, "backend-share");
  EXPECT_THAT(v.observed, HasSubstr("99.7 % of slots"));
  EXPECT_THAT(v.limit, HasSubstr("at most 50.0 % with 3 or more serving"));
}

// The well-known failure: equal weights beyond the table's size.
TEST(FoundingOutageNumbers, FourOf65536AreRefusedAndNeverLopsided) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  for (model::Backend& b : candidate.pools[0].backends) b.weight = 65536;
  const auto built = Built(candidate);
  for (uint32_t slots : built->pools[0]->slots) EXPECT_NEAR(slots, 65537 / 4.0, 1);
  const Judgement judgement = JudgeChange(&base, candidate);
  EXPECT_EQ(BlockingRules(judgement.verdict), std::vector<std::string>{"LB007"});
  const model::Config fixed = ApplyFixes(&base, candidate, "LB007");
  for (const model::Backend& b : fixed.pools[0].backends) EXPECT_EQ(b.weight, 1000);
  EXPECT_FALSE(JudgeChange(&base, fixed).verdict.refused());
}

TEST(FoundingOutageNumbers, AnEmptyStateIsNotADelete) {
  const model::Config base = WebWith(4);
  const Judgement judgement = JudgeChange(&base, model::Config{});
  EXPECT_EQ(BlockingRules(judgement.verdict), std::vector<std::string>{"LB005"});
  const model::Config fixed = ApplyFixes(&base, {}, "LB005");
  EXPECT_EQ(fixed, base);
  EXPECT_FALSE(JudgeChange(&base, fixed).verdict.refused());
}

TEST(FoundingOutageNumbers, AllDraining) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  for (auto& b : candidate.pools[0].backends) b.state = model::AdminState::kDraining;
  const Judgement judgement = JudgeChange(&base, candidate);
  EXPECT_THAT(BlockingRules(judgement.verdict), IsSupersetOf({"LB003", "LB005", "LB006"}));
  for (const char* rule : {"LB003", "LB005", "LB006"}) {
    const Judgement fixed = JudgeChange(&base, ApplyFixes(&base, candidate, rule));
    EXPECT_NE(SeverityOf(fixed.verdict, rule), Severity::kBlock) << rule;
  }
}

}  // namespace
}  // namespace evenkeel::guard::testing
