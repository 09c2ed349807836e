// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "absl/strings/str_format.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::HasSubstr;

// A rule that fails refuses, and does not hide what the others find.
TEST(Runner, ARuleThatThrowsRefuses) {
  std::vector<Rule> rules(RuleTable().begin(), RuleTable().end());
  Rule broken;
  broken.info.id = "LB999";
  broken.info.name = "broken";
  broken.pool = [](const PoolCase&, Report&) { throw std::runtime_error("out of cheese"); };
  rules.insert(rules.begin(), broken);
  const Verdict verdict = RunRules(rules, {*Built(WebWith(4)), nullptr, {}, {}});
  ASSERT_TRUE(verdict.refused());
  EXPECT_EQ(BlockingRules(verdict), std::vector<std::string>{"LB999"});
  EXPECT_THAT(verdict.violations[0].observed, HasSubstr("LB999 failed: out of cheese"));
  size_t expected = 0;
  for (const Rule& rule : rules) {
    expected += (rule.fleet != nullptr) + (rule.pool != nullptr || rule.transition != nullptr);
  }
  EXPECT_EQ(verdict.results.size(), expected);
}

TEST(Runner, AThrowingDeltaOrFleetCheckRefusesToo) {
  const auto base = Built(WebWith(4));
  Rule delta;
  delta.info.id = "LB998";
  delta.allows_drain_of_one = true;
  delta.yields_to_relief = true;
  delta.transition = [](const TransitionCase&, Report&) { throw 7; };
  EXPECT_TRUE(RunRules(std::vector<Rule>{delta}, {*base, base.get(), {}, {}}).refused());
  Rule fleet;
  fleet.info.id = "LB997";
  fleet.fleet = [](const Case&, Report&) { throw std::bad_alloc(); };
  EXPECT_TRUE(RunRules(std::vector<Rule>{fleet}, {*base, base.get(), {}, {}}).refused());
}

TEST(Runner, AStateThatCannotBeReadIsRefused) {
  EXPECT_TRUE(Judge(nullptr, nullptr, {}).verdict.refused());
  auto broken = std::make_shared<BuiltFleet>(*Built(WebWith(4)));
  auto pool = std::make_shared<BuiltPool>(*broken->pools[0]);
  pool->table = nullptr;
  broken->pools[0] = pool;
  EXPECT_TRUE(Judge(broken, nullptr, {}).verdict.refused());
  broken->pools.clear();
  EXPECT_TRUE(Judge(broken, nullptr, {}).verdict.refused());
  EXPECT_FALSE(Judge(broken, nullptr, {}).approval.has_value());
}

TEST(Runner, GivesOneResultPerRuleAndPool) {
  model::Config config = WebWith(4);
  config.pools.push_back(MakePool("api", 3, 7));
  config.vips.push_back({"api", Ip("192.0.2.11"), 443, model::Protocol::kTcp, "api"});
  for (const model::Config* base :
       {static_cast<const model::Config*>(nullptr), static_cast<const model::Config*>(&config)}) {
    const Verdict verdict = JudgeChange(base, config).verdict;
    std::set<std::pair<std::string, std::string>> seen;
    for (const RuleResult& r : verdict.results) {
      EXPECT_TRUE(seen.emplace(r.rule, r.pool).second) << r.rule << " " << r.pool;
      EXPECT_FALSE(r.observed.empty()) << r.rule << " " << r.pool;
      EXPECT_EQ(r.severity, Severity::kPass) << r.rule << ": " << r.observed;
    }
    for (const Rule& rule : RuleTable()) {
      const bool of_pools = rule.pool != nullptr || rule.transition != nullptr;
      for (const char* pool : {"web", "api"}) {
        EXPECT_EQ(seen.contains({std::string(rule.info.id), pool}), of_pools) << rule.info.id;
      }
      EXPECT_EQ(seen.contains({std::string(rule.info.id), ""}), rule.fleet != nullptr);
    }
  }
}

TEST(Runner, ReportsAllAtOnceBlocksFirst) {
  model::Config config = WebWith(4);
  config.pools[0].backends[0].weight = -7;
  config.pools[0].backends[1].address = Ip("127.0.0.1");
  config.pools[0].backends[2].address = config.pools[0].backends[3].address;
  config.pools[0].backends[2].weight = 4;
  config.pools[0].table_size = 257;
  config.source_rules.emplace_back().name = "nobody";
  config.source_rules[0].fallback = model::SourceAction::kDeny;
  config.global_source_rules = "nobody";
  const Verdict verdict = JudgeChange(nullptr, config).verdict;
  EXPECT_THAT(BlockingRules(verdict),
              ::testing::IsSupersetOf({"LB007", "LB008", "LB009", "LB017", "LB019"}));
  for (size_t i = 1; i < verdict.violations.size(); ++i) {
    EXPECT_GE(verdict.violations[i - 1].severity, verdict.violations[i].severity);
  }
}

TEST(RuleTable, IsCompleteAndFindable) {
  std::set<std::string_view> ids, names;
  for (const RuleInfo& rule : Rules()) {
    EXPECT_TRUE(ids.insert(rule.id).second);
    EXPECT_TRUE(names.insert(rule.name).second);
    for (std::string_view text : {rule.summary, rule.default_text, rule.explanation,
                                  rule.example_refused, rule.example_passing}) {
      EXPECT_FALSE(text.empty()) << rule.id;
    }
    EXPECT_EQ(FindRule(rule.id)->name, rule.name);
    EXPECT_EQ(FindRule(rule.name)->id, rule.id);
  }
  ASSERT_EQ(Rules().size(), 19u);
  for (size_t i = 0; i < Rules().size(); ++i) {
    EXPECT_EQ(Rules()[i].id, absl::StrFormat("LB%03d", i + 1));
  }
  EXPECT_EQ(FindRule("LB000"), nullptr);
}

}  // namespace
}  // namespace evenkeel::guard::testing
