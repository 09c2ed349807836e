// SPDX-License-Identifier: Apache-2.0
//
// Runs each rule on each pool and decides what a finding weighs. Three things turn a block into a
// warning, so that the guard never stands between an operator and a better state:
//   - the drain of one host while two others serve,
//   - a pool that was already worse in the same point,
//   - a pool that the change does not touch.
// So does a rollback: it leads back to what was accepted and ran.
#include <algorithm>
#include <exception>
#include <map>

#include "absl/strings/str_cat.h"
#include "control/guard/changes.h"
#include "control/guard/rule.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

// What a rule found bad in the running state, by key.
using Badness = std::map<std::string, double>;

class Runner {
 public:
  explicit Runner(const Question& question) : question_(question) {
    if (question.running != nullptr) {
      base_ = MakeRunningState(*question.running);
      has_base_ = true;
    }
    candidate_ = MakeCandidateState(question.candidate, has_base_ ? &base_ : nullptr);
    compares_ = has_base_ && !question.rollback;
    if (compares_) transitions_ = FindTransitions(candidate_, base_);
    relieved_.resize(candidate_.pools.size(), false);
  }

  void Run(const Rule& rule) {
    if (rule.fleet != nullptr) RunOnFleet(rule);
    if (rule.pool == nullptr && rule.transition == nullptr) return;
    for (const PoolState& state : candidate_.pools) {
      Report report;
      Guarded(rule, report, [&] {
        if (rule.pool != nullptr) JudgePool(rule, state, report);
        if (rule.transition != nullptr) JudgeTransitions(rule, state, report);
      });
      Take(rule, state.pool->name, std::move(report));
    }
  }

  Detailed Finish() {
    std::stable_sort(out_.findings.begin(), out_.findings.end(), [](const auto& a, const auto& b) {
      return a.violation.severity > b.violation.severity;
    });
    for (const Finding& finding : out_.findings) {
      out_.verdict.violations.push_back(finding.violation);
      out_.verdict.severity = std::max(out_.verdict.severity, finding.violation.severity);
    }
    DescribeChanges(candidate_, has_base_ ? &base_ : nullptr, out_.verdict);
    return std::move(out_);
  }

 private:
  template <typename Check>
  void Guarded(const Rule& rule, Report& report, Check check) {
    std::string reason;
    try {
      check();
      return;
    } catch (const std::exception& e) {
      reason = e.what();
    } catch (...) {
      reason = "unknown exception";
    }
    Finding& finding = report.Add(Severity::kBlock, "", "");
    finding.violation.observed =
        absl::StrCat("the check of ", model::Av(rule.info.id), " failed: ", reason);
    finding.violation.limit = "every check completes";
    finding.violation.fix = "this is a defect of the guard, not of the change; report it";
  }

  void RunOnFleet(const Rule& rule) {
    Report report;
    if (compares_) {
      Guarded(rule, report, [&] { rule.fleet(MakeCase(), report); });
    } else {
      report.observed = WhyNotCompared();
    }
    Take(rule, "", std::move(report));
  }

  void JudgePool(const Rule& rule, const PoolState& state, Report& report) {
    const PoolState* before = has_base_ ? base_.Find(state.pool->name) : nullptr;
    rule.pool({MakeCase(), state, before}, report);
    if (question_.rollback) return;
    const bool blocks = std::any_of(report.findings.begin(), report.findings.end(), IsBlock);
    if (before == nullptr || !rule.forgives_base || !(blocks || rule.relieves)) return;
    const Badness badness = BadnessOf(rule, *before);
    if (rule.relieves && Improves(badness, report)) relieved_[state.index] = true;
    const bool drain = rule.allows_drain_of_one && IsDrainOfOne(*before, state);
    const bool same = HasSameTraffic(*before, state);
    for (Finding& finding : report.findings) {
      if (!IsBlock(finding)) continue;
      const auto it = badness.find(finding.key);
      const bool known = it != badness.end();
      if (drain && !finding.key.starts_with(kPolicyKey)) {
        Soften(finding, "allowed as the drain of one host");
      } else if (known && finding.badness < it->second) {
        Soften(finding, "better than what runs now");
      } else if (known && same && finding.badness == it->second) {
        Soften(finding, "runs now, and this change does not touch it");
      }
    }
  }

  void JudgeTransitions(const Rule& rule, const PoolState& state, Report& report) {
    for (const Transition& transition : transitions_) {
      if (transition.after != &state) continue;
      const size_t first = report.findings.size();
      rule.transition({MakeCase(), transition}, report);
      const bool drain =
          rule.allows_drain_of_one && IsDrainOfOne(*transition.before, *transition.after);
      for (size_t i = first; i < report.findings.size(); ++i) {
        if (!IsBlock(report.findings[i]) || transition.respread != nullptr) continue;
        if (drain) {
          Soften(report.findings[i], "allowed as the drain of one host");
        } else if (rule.yields_to_relief && relieved_[state.index]) {
          Soften(report.findings[i], "allowed because it mends what runs now");
        }
      }
    }
    if (report.observed.empty()) {
      report.observed = compares_ ? "no VIP ran on this pool before" : WhyNotCompared();
    }
  }

  Case MakeCase() const {
    return {candidate_, has_base_ ? &base_ : nullptr, question_.facts, question_.consent,
            question_.rollback};
  }

  std::string WhyNotCompared() const {
    return question_.rollback ? "a return to an earlier accepted state: not compared"
                              : "first state: nothing ran before";
  }

  static bool IsBlock(const Finding& finding) {
    return finding.violation.severity == Severity::kBlock;
  }

  // Under the running policy: a change cannot call the running state bad by tightening the policy.
  Badness BadnessOf(const Rule& rule, const PoolState& before) {
    Report report;
    rule.pool({{base_, nullptr, question_.facts, question_.consent}, before, nullptr}, report);
    Badness badness;
    for (const Finding& finding : report.findings) {
      if (!IsBlock(finding)) continue;
      double& worst = badness[finding.key];
      worst = std::max(worst, finding.badness);
    }
    return badness;
  }

  // Something that was bad is less so, and nothing is worse.
  static bool Improves(const Badness& before, const Report& after) {
    if (before.empty()) return false;
    for (const Finding& finding : after.findings) {
      if (!IsBlock(finding)) continue;
      const auto it = before.find(finding.key);
      if (it == before.end() || finding.badness >= it->second) return false;
    }
    return true;
  }

  static void Soften(Finding& finding, std::string_view why) {
    finding.violation.severity = Severity::kWarn;
    absl::StrAppend(&finding.violation.limit, "; ", model::Av(why));
  }

  void Take(const Rule& rule, const std::string& pool, Report report) {
    RuleResult result{
        std::string(rule.info.id), std::string(rule.info.name), pool,
        Severity::kPass,           std::move(report.observed),  std::move(report.limit)};
    for (Finding& finding : report.findings) {
      Violation& v = finding.violation;
      if (question_.rollback && !rule.binds_rollback && IsBlock(finding)) {
        Soften(finding, "allowed as a return to an earlier accepted state");
      }
      v.rule = rule.info.id;
      v.name = rule.info.name;
      if (v.pool.empty()) v.pool = pool;
      if (v.subject.empty() && !pool.empty()) v.subject = absl::StrCat("pools/", pool);
      v.message = absl::StrCat(v.subject.empty() ? "" : absl::StrCat(v.subject, ": "), v.observed,
                               " (", v.limit, ")", v.fix.empty() ? "" : "; ", v.fix);
      if (v.severity > result.severity) {
        result.severity = v.severity;
        result.observed = v.observed;
        result.limit = v.limit;
      }
      out_.findings.push_back(std::move(finding));
    }
    out_.verdict.results.push_back(std::move(result));
  }

  const Question& question_;
  FleetState candidate_, base_;
  bool has_base_ = false;
  bool compares_ = false;  // the rules over a change apply
  std::vector<Transition> transitions_;
  std::vector<bool> relieved_;  // by pool: a state rule that `relieves` found it better than before
  Detailed out_;
};

}  // namespace

Detailed RunRulesDetailed(std::span<const Rule> rules, const Question& question) {
  Runner runner(question);
  for (const Rule& rule : rules) runner.Run(rule);
  return runner.Finish();
}

Verdict RunRules(std::span<const Rule> rules, const Question& question) {
  return RunRulesDetailed(rules, question).verdict;
}

}  // namespace evenkeel::guard
