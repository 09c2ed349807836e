// SPDX-License-Identifier: Apache-2.0
//
// Random histories of updates: no accepted state breaks a rule, and what a refusal proposes works.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "control/model/yaml.h"
#include "oracle.h"
#include "random_config.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

constexpr int kHistories = 150;
constexpr int kUpdates = 20;

// EVENKEEL_PROPERTY_SEED shifts the histories, for sweeps beyond those that every run tries.
uint64_t SeedOffset() {
  const char* text = std::getenv("EVENKEEL_PROPERTY_SEED");
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10) * 1'000'000;
}

// Calls `visit` with each judged step of random histories that go on from every accepted state.
template <typename Visit>
void ForEachUpdate(uint64_t seed, Visit visit) {
  for (int history = 0; history < kHistories; ++history) {
    Random random(SeedOffset() + seed + static_cast<uint64_t>(history));
    std::shared_ptr<const BuiltFleet> running;
    model::Config config = RandomState(random);
    for (int i = 0; i < kUpdates; ++i) {
      SCOPED_TRACE("history " + std::to_string(history) + ", update " + std::to_string(i));
      const auto candidate = Built(config, running);
      ASSERT_NE(candidate, nullptr);
      const Judgement judgement = Judge(candidate, running, {});
      visit(running, candidate, judgement);
      if (::testing::Test::HasFailure()) return;
      if (judgement.approval.has_value()) running = candidate;
      if (running == nullptr) break;
      config = running->ToConfig();
      RandomUpdate(random, config);
    }
  }
}

TEST(GuardProperty, NoAcceptedStateBreaksARule) {
  int accepted = 0, refused = 0;
  ForEachUpdate(1000, [&](const auto& running, const auto& candidate, const Judgement& judgement) {
    if (judgement.verdict.refused()) {
      ++refused;
      EXPECT_FALSE(judgement.approval.has_value());
      return;
    }
    ++accepted;
    EXPECT_EQ(FindFault(running.get(), *candidate), "")
        << (running ? model::ToYaml(running->ToConfig()) : "") << "--- then\n"
        << model::ToYaml(candidate->ToConfig());
  });
  // The generator must reach both sides for the property to mean anything.
  EXPECT_GT(accepted, 200);
  EXPECT_GT(refused, 200);
}

struct Proposal {
  std::vector<Edit> edits;
  bool complete = true;  // every violation has edits; some have words only ("add a backend")
};

// What blocks, by rule and pool.
std::map<std::pair<std::string, std::string>, Proposal> ProposalsOf(const Detailed& detailed) {
  std::map<std::pair<std::string, std::string>, Proposal> proposals;
  for (const Finding& finding : detailed.findings) {
    const Violation& v = finding.violation;
    if (v.severity != Severity::kBlock) continue;
    Proposal& proposal = proposals[{v.rule, v.pool}];
    proposal.complete = proposal.complete && !finding.edits.empty();
    proposal.edits.insert(proposal.edits.end(), finding.edits.begin(), finding.edits.end());
  }
  return proposals;
}

std::string Blocks(const Verdict& verdict, const std::string& rule, const std::string& pool) {
  for (const Violation& v : verdict.violations) {
    if (v.severity == Severity::kBlock && v.rule == rule && v.pool == pool) return v.message;
  }
  return "";
}

TEST(GuardProperty, WhatARefusalProposesMakesItsRulePass) {
  int applied = 0;
  ForEachUpdate(5000, [&](const auto& running, const auto& candidate, const Judgement& judgement) {
    if (!judgement.verdict.refused()) return;
    const Detailed detailed = RunRulesDetailed(RuleTable(), {*candidate, running.get(), {}, {}});
    const model::Config before = running ? running->ToConfig() : model::Config{};
    const model::Config* base = running ? &before : nullptr;
    for (const auto& [where, proposal] : ProposalsOf(detailed)) {
      if (!proposal.complete) continue;
      const auto& [rule, pool] = where;
      model::Config fixed = candidate->ToConfig();
      ApplyEdits(proposal.edits, base, fixed);
      ASSERT_TRUE(model::Validate(fixed).empty()) << model::Validate(fixed)[0].ToString();
      ++applied;
      EXPECT_EQ(Blocks(Judge(Built(fixed, running), running, {}).verdict, rule, pool), "")
          << "the proposal was for: " << Blocks(detailed.verdict, rule, pool) << "\n"
          << (base ? model::ToYaml(*base) : "") << "--- refused\n"
          << model::ToYaml(candidate->ToConfig()) << "--- fixed\n"
          << model::ToYaml(fixed);
    }
  });
  EXPECT_GT(applied, 200);
}

TEST(GuardProperty, ADrainOfOneIsNeverRefused) {
  ForEachUpdate(9000, [&](const auto&, const auto& candidate, const Judgement& judgement) {
    if (judgement.verdict.refused()) return;
    for (size_t p = 0; p < candidate->pools.size(); ++p) {
      const bool declared = candidate->pools[p]->config.policy.single_backend.has_value();
      if (candidate->pools[p]->table->servers.size() < (declared ? 2 : 3)) continue;
      model::Config drained = candidate->ToConfig();
      auto& backends = drained.pools[p].backends;
      const auto serving =
          std::find_if(backends.begin(), backends.end(), [](const auto& b) { return b.serving(); });
      serving->state = model::AdminState::kDraining;
      const Verdict verdict = Judge(Built(drained, candidate), candidate, {}).verdict;
      EXPECT_FALSE(verdict.refused()) << verdict.violations[0].message;
    }
  });
}

}  // namespace
}  // namespace evenkeel::guard::testing
