// SPDX-License-Identifier: Apache-2.0
//
// Rules over a change: LB005 and LB006.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Change = std::function<void(model::Config&)>;

void Remove(model::Config& c, size_t n) {
  c.pools[0].backends.resize(c.pools[0].backends.size() - n);
}
void Drain(model::Config& c, size_t from, size_t n) {
  for (size_t i = from; i < from + n; ++i) {
    c.pools[0].backends[i].state = model::AdminState::kDraining;
  }
}
void Grow(model::Config& c, size_t n, int64_t weight = 100) {
  c.pools[0] = MakePool("web", n);
  for (size_t i = 4; i < n; ++i) c.pools[0].backends[i].weight = weight;
}
void Replace(model::Config& c, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    c.pools[0].backends[i].address =
        model::IpAddress::FromIpv4({10, 9, 9, static_cast<uint8_t>(i)});
  }
}

struct Case {
  const char* name;
  const char* rule;
  size_t backends;
  Change refused;
  Change passing;
  const char* observed;
  const char* fix;
};

class DeltaRule : public ::testing::TestWithParam<Case> {
 protected:
  DeltaRule() : base_(WebWith(GetParam().backends)), refused_(base_), passing_(base_) {
    GetParam().refused(refused_);
    GetParam().passing(passing_);
  }
  model::Config base_, refused_, passing_;
};

TEST_P(DeltaRule, Refuses) {
  const Verdict verdict = JudgeChange(&base_, refused_).verdict;
  EXPECT_THAT(BlockingRules(verdict), Contains(GetParam().rule));
  const auto violations = ViolationsOf(verdict, GetParam().rule);
  ASSERT_FALSE(violations.empty());
  EXPECT_THAT(violations[0].observed, HasSubstr(GetParam().observed));
  EXPECT_THAT(violations[0].fix, HasSubstr(GetParam().fix));
}

TEST_P(DeltaRule, LetsTheNearestPass) {
  EXPECT_THAT(BlockingRules(JudgeChange(&base_, passing_).verdict), IsEmpty());
}

TEST_P(DeltaRule, ProposesWhatPasses) {
  const model::Config fixed = ApplyFixes(&base_, refused_, GetParam().rule);
  EXPECT_NE(fixed, refused_);
  EXPECT_THAT(BlockingRules(JudgeChange(&base_, fixed).verdict), Not(Contains(GetParam().rule)));
}

TEST_P(DeltaRule, DoesNotApplyToAFirstState) {
  EXPECT_THAT(BlockingRules(JudgeChange(nullptr, refused_).verdict),
              Not(Contains(GetParam().rule)));
}

INSTANTIATE_TEST_SUITE_P(
    Guard, DeltaRule,
    ::testing::Values(
        Case{"removed_two_of_four", "LB005", 4, [](auto& c) { Remove(c, 2); },
             [](auto& c) { Remove(c, 1); }, "2 of 4 servers, 50.0 % of serving weight",
             "keep at least 1 of web-3, web-4 enabled"},
        Case{"drained_six_of_twenty", "LB005", 20, [](auto& c) { Drain(c, 3, 6); },
             [](auto& c) { Drain(c, 3, 5); }, "6 of 20 servers, 30.0 % of serving weight",
             "keep at least 1 of web-4..web-9 enabled"},
        Case{"removed_three_drained_three", "LB005", 20,
             [](auto& c) { Remove(c, 3), Drain(c, 0, 3); },
             [](auto& c) { Remove(c, 3), Drain(c, 0, 2); }, "6 of 20 servers",
             "keep at least 1 of"},
        Case{"replaced_all", "LB005", 8, [](auto& c) { Replace(c, 8); },
             [](auto& c) { Replace(c, 1); }, "8 of 8 servers, 100.0 %",
             "keep at least 6 of web-1..web-8 at their present addresses"},
        Case{"two_into_three", "LB006", 2, [](auto& c) { Grow(c, 3); },
             [](auto& c) {
               Grow(c, 3);
               c.pools[0].backends[2].weight = 84;
             },
             "33.3 % of slots move, 33.3 % change in shares",
             "lower the weight of web-3 from 100 to 8"},
        Case{"doubled", "LB006", 4, [](auto& c) { Grow(c, 8); }, [](auto& c) { Grow(c, 8, 40); },
             "of slots move, 50.0 % change in shares", "lower the weight of web-5 from 100 to 4"},
        Case{"table_size", "LB006", 4, [](auto& c) { c.pools[0].table_size = 131071; },
             [](auto&) {}, "100.0 % of slots move", "keep table_size: 65537"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DeltaRules, OneServerMayAlwaysGo) {
  const model::Config base = WebWith(3);
  model::Config candidate = base;
  candidate.pools[0].backends[0].weight = 300;
  ASSERT_FALSE(JudgeChange(nullptr, base).verdict.refused());
  candidate = base;
  Remove(candidate, 1);  // a third of the weight
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), Not(Contains("LB005")));
}

TEST(DeltaRules, UnequalWeightsNameWhichToKeep) {
  model::Config base = WebWith(6);
  base.pools[0].backends[5].weight = 200;
  model::Config candidate = base;
  Remove(candidate, 2);  // web-5 (100) and web-6 (200) of 700
  const auto violations = ViolationsOf(JudgeChange(&base, candidate).verdict, "LB005");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_THAT(violations[0].fix, HasSubstr("keep web-6 enabled"));
}

TEST(DeltaRules, RenamingMovesNothing) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  for (auto& b : candidate.pools[0].backends) b.name = "x" + b.name;
  const Judgement judgement = JudgeChange(&base, candidate);
  EXPECT_EQ(judgement.verdict.severity, Severity::kPass);
  EXPECT_EQ(judgement.verdict.pools[0].slots_moved, 0u);
}

// --- VIPs ---

model::Config ManyVips(size_t n) {
  model::Config config = WebWith(4);
  config.vips.clear();
  for (size_t i = 0; i < n; ++i) {
    config.vips.push_back({"vip-" + std::to_string(i + 1), Ip("192.0.2.10"),
                           static_cast<uint16_t>(i + 1), model::Protocol::kTcp, "web"});
  }
  return config;
}

struct VipCase {
  const char* name;
  size_t before, removed;
  bool refused;
};

class RemovedVips : public ::testing::TestWithParam<VipCase> {};

TEST_P(RemovedVips, AreFewAtATime) {
  const model::Config base = ManyVips(GetParam().before);
  model::Config candidate = base;
  candidate.vips.resize(base.vips.size() - GetParam().removed);
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_EQ(verdict.refused(), GetParam().refused);
  if (!verdict.refused()) return;
  EXPECT_EQ(BlockingRules(verdict), std::vector<std::string>{"LB005"});
  EXPECT_EQ(verdict.violations[0].subject, "vips");
  const model::Config fixed = ApplyFixes(&base, candidate, "LB005");
  EXPECT_FALSE(JudgeChange(&base, fixed).verdict.refused());
}

INSTANTIATE_TEST_SUITE_P(
    Guard, RemovedVips,
    ::testing::Values(VipCase{"the_only_one", 1, 1, true}, VipCase{"one_of_two", 2, 1, false},
                      VipCase{"both", 2, 2, true}, VipCase{"two_of_four", 4, 2, true},
                      VipCase{"two_of_eight", 8, 2, false}, VipCase{"three_of_eight", 8, 3, true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Vips, ARenamedVipIsTheSameVip) {
  const model::Config base = ManyVips(1);
  model::Config candidate = base;
  candidate.vips[0].name = "renamed";
  EXPECT_FALSE(JudgeChange(&base, candidate).verdict.refused());
}

TEST(Vips, MovingToAnotherPoolIsJudgedAsItsServersChanging) {
  model::Config base = WebWith(4);
  base.pools.push_back(MakePool("other", 4, 7));
  model::Config candidate = base;
  candidate.vips[0].pool = "other";
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_EQ(BlockingRules(verdict), (std::vector<std::string>{"LB005", "LB006"}));
  EXPECT_EQ(verdict.violations[0].subject, "vips/web");
  EXPECT_THAT(verdict.violations[0].fix, HasSubstr("keep the VIP on pool web"));
  EXPECT_EQ(ApplyFixes(&base, candidate, "LB005"), base);
}

TEST(Vips, ARenamedPoolIsTheSameTable) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  candidate.pools[0].name = candidate.vips[0].pool = "renamed";
  EXPECT_FALSE(JudgeChange(&base, candidate).verdict.refused());
}

TEST(Pools, WithoutAVipMayChangeAndGoFreely) {
  model::Config base = WebWith(4);
  base.pools.push_back(MakePool("idle", 4, 7));
  model::Config candidate = base;
  candidate.pools[1] = MakePool("idle", 2, 9);
  candidate.pools[1].table_size = 131071;
  EXPECT_FALSE(JudgeChange(&base, candidate).verdict.refused());
  candidate.pools.pop_back();
  EXPECT_FALSE(JudgeChange(&base, candidate).verdict.refused());
}

}  // namespace
}  // namespace evenkeel::guard::testing
