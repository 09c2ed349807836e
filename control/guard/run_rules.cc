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
#include "absl/strings/str_format.h"
#include "control/guard/changes.h"
#include "control/guard/rule.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

// What a rule found bad in the running state, by key.
using Badness = std::map<std::string, double>;

constexpr int64_t kSecond = 1'000'000'000;

class Runner {
 public:
  explicit Runner(const Question& question) : question_(question) {
    if (question.running != nullptr) {
      base_ = MakeRunningState(*question.running, question.facts.host_policy);
      has_base_ = true;
    }
    candidate_ = MakeCandidateState(question.candidate, question.facts.host_policy,
                                    has_base_ ? &base_ : nullptr);
    compares_ = has_base_ && question.kind == Question::Kind::kChange;
    if (compares_) transitions_ = FindTransitions(candidate_, base_);
    relieved_.resize(candidate_.pools.size(), false);
  }

  void Run(const Rule& rule) {
    if (IsHealth() && !rule.binds_health) return;
    RunOnFleet(rule);
    if (rule.pool == nullptr && rule.transition == nullptr) return;
    for (const PoolState& state : candidate_.pools) {
      Report report;
      Guarded(rule, report, [&] {
        JudgePool(rule, state, report);
        if (rule.transition != nullptr) JudgeTransitions(rule, state, report);
      });
      Take(rule, state.pool->name, std::move(report));
    }
  }

  // Exceptions and overrides that name what has none.
  void CheckExcuses(std::span<const Rule> rules) {
    Rule excuses;
    excuses.info.id = excuses.info.name = "guard";
    excuses.allows_exception = excuses.allows_override = false;
    Report report;
    for (const PoolState& state : candidate_.pools) CheckExceptions(rules, state, report);
    for (const Override& o : question_.consent.overrides) CheckOverride(rules, o, report);
    if (!report.findings.empty()) Take(excuses, "", std::move(report));
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

  // `pool` is empty for the policy of all pools.
  static void CheckTightens(const Range& range, const model::Policy& policy,
                            const std::string& pool, const std::string& path, Report& report) {
    if (!Loosens(range, policy)) return;
    const std::string field = absl::StrCat("policy.", model::Av(range.field));
    Finding& finding = report.Add(Severity::kBlock, pool.empty() ? "policy" : "", path + field);
    finding.key = absl::StrCat(kPolicyKey, model::Av(range.field));
    finding.violation.observed = absl::StrFormat("%s is %g", field, *(policy.*range.value));
    finding.violation.limit =
        absl::StrFormat("a policy may only tighten it: %g to %g", range.lowest, range.loosest);
    finding.violation.fix = absl::StrFormat("set %s to at most %g, or remove it for the default",
                                            range.field, range.loosest);
    finding.edits = {{Edit::Kind::kClearPolicy, pool, std::string(range.field), 0}};
  }

  void RunOnFleet(const Rule& rule) {
    Report report;
    for (const Range& range : rule.limits) {
      CheckTightens(range, question_.candidate.policy, "", "", report);
    }
    if (rule.fleet == nullptr && report.findings.empty()) return;
    if (rule.fleet != nullptr && compares_) {
      Guarded(rule, report, [&] { rule.fleet(MakeCase(), report); });
      if (rule.yields_to_emergency) SoftenEmergency(report);
    } else {
      report.observed = WhyNotCompared();
    }
    Take(rule, "", std::move(report));
  }

  // The drain of one host, or a pool that LB001 or LB003 finds better than before; and no more than
  // that.
  bool IsEmergency(const PoolState& state) const {
    const PoolState* before = base_.Find(state.pool->name);
    return before != nullptr && DiffersInBackendsOnly(*before, state) &&
           (IsDrainOfOne(*before, state) || relieved_[state.index]);
  }

  bool IsAllEmergency() const {
    if (!DifferInPoolsOnly(base_, candidate_)) return false;
    return std::all_of(
        candidate_.pools.begin(), candidate_.pools.end(), [&](const PoolState& state) {
          return IsUntouched(*base_.Find(state.pool->name), state) || IsEmergency(state);
        });
  }

  void SoftenEmergency(Report& report) const {
    for (Finding& finding : report.findings) {
      if (!IsBlock(finding) || finding.key.starts_with(kPolicyKey)) continue;
      const PoolState* pool = candidate_.Find(finding.violation.pool);
      const bool whole = finding.violation.pool.empty();
      if (whole ? IsAllEmergency() : pool != nullptr && IsEmergency(*pool)) {
        Soften(finding,
               "allowed, because the drain of one host and the mending of a pool do not wait");
      }
    }
  }

  void JudgePool(const Rule& rule, const PoolState& state, Report& report) {
    const PoolState* before = has_base_ ? base_.Find(state.pool->name) : nullptr;
    for (const Range& range : rule.limits) {
      CheckTightens(range, state.pool->policy, state.pool->name,
                    absl::StrCat("pools[", state.index, "]."), report);
    }
    if (rule.pool != nullptr) rule.pool({MakeCase(), state, before}, report);
    if (IsRollback()) return;
    const bool blocks = std::any_of(report.findings.begin(), report.findings.end(), IsBlock);
    if (before == nullptr || rule.pool == nullptr || !rule.forgives_base ||
        !(blocks || rule.relieves))
      return;
    const Badness badness = BadnessOf(rule, *before);
    if (rule.relieves && Improves(badness, report)) relieved_[state.index] = true;
    const bool drain = !IsHealth() && rule.allows_drain_of_one && IsDrainOfOne(*before, state);
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
            IsRollback()};
  }

  bool IsRollback() const { return question_.kind == Question::Kind::kRollback; }
  bool IsHealth() const { return question_.kind == Question::Kind::kHealth; }

  std::string WhyNotCompared() const {
    return IsRollback() ? "a return to an earlier accepted state: not compared"
                        : "first state: nothing ran before";
  }

  static const Rule* Find(std::span<const Rule> rules, const std::string& id) {
    const auto it = std::find_if(rules.begin(), rules.end(),
                                 [&](const Rule& rule) { return rule.info.id == id; });
    return it == rules.end() ? nullptr : &*it;
  }

  static void CheckExceptions(std::span<const Rule> rules, const PoolState& state, Report& report) {
    const auto& exceptions = state.pool->policy.exceptions;
    for (size_t i = 0; i < exceptions.size(); ++i) {
      const Rule* rule = Find(rules, exceptions[i].rule);
      if (rule != nullptr && rule->has_check() && rule->allows_exception) continue;
      Finding& finding =
          report.Add(Severity::kBlock, absl::StrCat("pools/", state.pool->name),
                     absl::StrFormat("pools[%d].policy.exceptions[%d].rule", state.index, i));
      finding.key = kPolicyKey;
      finding.violation.pool = state.pool->name;
      finding.violation.observed = absl::StrCat("an exception of ", exceptions[i].rule);
      finding.violation.limit = rule == nullptr ? "there is no such rule" : "this rule has none";
      finding.violation.fix = "remove it; `evenkeel rules` lists the rules";
    }
  }

  static void CheckOverride(std::span<const Rule> rules, const Override& o, Report& report) {
    const Rule* rule = Find(rules, o.rule);
    const char* why = nullptr;
    if (rule == nullptr) {
      why = "there is no such rule";
    } else if (!rule->has_check() || !rule->allows_override) {
      why = "this rule cannot be overridden";
    } else if (o.reason.empty() || o.author.empty()) {
      why = "an override names its reason and its author";
    }
    if (why == nullptr) return;
    Finding& finding = report.Add(Severity::kBlock, "overrides", "");
    finding.violation.observed = absl::StrCat("an override of ", o.rule);
    finding.violation.limit = why;
    finding.violation.fix = "leave it out; `evenkeel rules` lists the rules";
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

  // What somebody answers for: the pool's owner, or who asks.
  void Excuse(const Rule& rule, Finding& finding) const {
    if (!IsBlock(finding) || finding.key.starts_with(kPolicyKey)) return;
    const PoolState* pool = candidate_.Find(finding.violation.pool);
    if (rule.allows_exception && pool != nullptr) {
      for (const model::RuleException& e : pool->pool->policy.exceptions) {
        if (e.rule == rule.info.id) {
          return Soften(finding,
                        absl::StrCat("exception of the pool: ", e.reason, " (", e.owner, ")"));
        }
      }
    }
    if (!rule.allows_override) return;
    for (const Override& o : question_.consent.overrides) {
      if (o.rule == rule.info.id && IsInForce(o)) {
        return Soften(finding, absl::StrCat("overridden by ", o.author, " until ",
                                            model::TimestampText(o.expires_unix_ns / kSecond), ": ",
                                            o.reason));
      }
    }
  }

  // Without a daemon there is no clock, and nothing is applied.
  bool IsInForce(const Override& o) const {
    return !question_.facts.live || question_.facts.live->now_unix_ns < o.expires_unix_ns;
  }

  void Take(const Rule& rule, const std::string& pool, Report report) {
    RuleResult result{
        std::string(rule.info.id), std::string(rule.info.name), pool,
        Severity::kPass,           std::move(report.observed),  std::move(report.limit)};
    for (Finding& finding : report.findings) {
      Violation& v = finding.violation;
      if (IsRollback() && !rule.binds_rollback && IsBlock(finding)) {
        Soften(finding, "allowed as a return to an earlier accepted state");
      }
      if (v.pool.empty()) v.pool = pool;
      Excuse(rule, finding);
      v.rule = rule.info.id;
      v.name = rule.info.name;
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
  for (const Rule& rule : rules) {
    if (rule.has_check()) runner.Run(rule);
  }
  runner.CheckExcuses(rules);
  return runner.Finish();
}

Verdict RunRules(std::span<const Rule> rules, const Question& question) {
  return RunRulesDetailed(rules, question).verdict;
}

}  // namespace evenkeel::guard
