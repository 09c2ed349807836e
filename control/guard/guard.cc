// SPDX-License-Identifier: Apache-2.0
#include "control/guard/guard.h"

#include <algorithm>
#include <exception>

#include "absl/strings/str_cat.h"
#include "control/guard/rule.h"

namespace evenkeel::guard {
namespace {

Verdict Refusal(std::string observed) {
  Violation violation;
  violation.rule = "guard";
  violation.name = "guard";
  violation.observed = std::move(observed);
  violation.limit = "a state that can be judged";
  violation.fix = "this is a defect of the caller, not of the change; report it";
  violation.message = absl::StrCat(violation.observed, "; ", violation.fix);
  Verdict verdict;
  verdict.severity = Severity::kBlock;
  verdict.violations.push_back(std::move(violation));
  return verdict;
}

// Whatever fails here refuses: an unjudged state must not look like a good one.
Verdict JudgeOrRefuse(const BuiltFleet* candidate, const BuiltFleet* running, const Facts& facts,
                      const Consent& consent, Question::Kind kind) {
  if (candidate == nullptr) return Refusal("no state was given");
  try {
    return RunRules(RuleTable(), {*candidate, running, facts, consent, kind});
  } catch (const std::exception& e) {
    return Refusal(absl::StrCat("the state cannot be judged: ", e.what()));
  }
}

}  // namespace

std::string_view ToString(Severity severity) {
  switch (severity) {
    case Severity::kPass:
      return "pass";
    case Severity::kWarn:
      return "warn";
    case Severity::kBlock:
      return "block";
  }
  return "invalid";
}

bool Verdict::no_change() const {
  const auto unchanged = [](const auto& c) { return c.kind == PoolChange::Kind::kUnchanged; };
  return std::all_of(pools.begin(), pools.end(), unchanged) &&
         std::all_of(vips.begin(), vips.end(), unchanged);
}

Judgement Judge(std::shared_ptr<const BuiltFleet> candidate, std::shared_ptr<const BuiltFleet> base,
                const Facts& facts, const Consent& consent) {
  Judgement judgement;
  judgement.verdict =
      JudgeOrRefuse(candidate.get(), base.get(), facts, consent, Question::Kind::kChange);
  if (judgement.verdict.refused()) return judgement;
  std::optional<Digest> base_digest;
  if (base != nullptr) base_digest = base->digest;
  judgement.approval = Approval(std::move(candidate), base_digest);
  return judgement;
}

Judgement JudgeRollback(std::shared_ptr<const BuiltFleet> candidate,
                        std::shared_ptr<const BuiltFleet> running, const Facts& facts) {
  Judgement judgement;
  judgement.verdict =
      JudgeOrRefuse(candidate.get(), running.get(), facts, {}, Question::Kind::kRollback);
  if (judgement.verdict.refused()) return judgement;
  judgement.approval = Approval(std::move(candidate), std::nullopt);
  return judgement;
}

Judgement JudgeHealth(std::shared_ptr<const BuiltFleet> candidate,
                      std::shared_ptr<const BuiltFleet> running, const Facts& facts) {
  Judgement judgement;
  judgement.verdict =
      JudgeOrRefuse(candidate.get(), running.get(), facts, {}, Question::Kind::kHealth);
  if (judgement.verdict.refused()) return judgement;
  std::optional<Digest> base;
  if (running != nullptr) base = running->digest;
  judgement.approval = Approval(std::move(candidate), base);
  return judgement;
}

const std::vector<RuleInfo>& Rules() {
  static const auto* const rules = [] {
    auto* infos = new std::vector<RuleInfo>;
    for (const Rule& rule : RuleTable()) infos->push_back(rule.info);
    return infos;
  }();
  return *rules;
}

const RuleInfo* FindRule(std::string_view id_or_name) {
  for (const RuleInfo& rule : Rules()) {
    if (rule.id == id_or_name || rule.name == id_or_name) return &rule;
  }
  return nullptr;
}

}  // namespace evenkeel::guard
