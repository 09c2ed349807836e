// SPDX-License-Identifier: Apache-2.0
#include "control/engine/evaluate.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/engine/edit.h"
#include "control/guard/entry.h"
#include "control/model/yaml.h"

namespace evenkeel::engine {
namespace {

guard::Verdict RefuseUnjudged(const std::string& reason) {
  guard::Violation violation;
  violation.rule = "LB000";
  violation.name = "guard-failure";
  violation.subject = "guard";
  violation.observed = reason;
  violation.limit = "a change must be judged before it is applied";
  violation.fix = "report this as a bug, with the configuration";
  violation.message = absl::StrCat("the check itself failed: ", reason,
                                   "; what cannot be judged "
                                   "is refused");
  guard::Verdict verdict;
  verdict.severity = guard::Severity::kBlock;
  verdict.violations.push_back(std::move(violation));
  return verdict;
}

Evaluation Invalid(std::vector<model::Diagnostic> diagnostics) {
  Evaluation result;
  result.kind = Outcome::Kind::kInvalid;
  result.diagnostics = std::move(diagnostics);
  return result;
}

Evaluation Failed(absl::Status status) {
  Evaluation result;
  result.kind = Outcome::Kind::kFailed;
  result.status = std::move(status);
  return result;
}

using Fleet = std::shared_ptr<const guard::BuiltFleet>;

// A state to judge: how to build it, and what is wrong with it where that fails for its form.
struct Candidate {
  std::function<absl::StatusOr<Fleet>()> build;
  std::function<std::vector<model::Diagnostic>()> diagnose;
};

Candidate Whole(const model::Config& config, const maglev::HashKey& key,
                const guard::BuiltFleet* reuse) {
  return {[&config, key, reuse] { return guard::BuildFleet(config, key, reuse); },
          [&config] { return model::Validate(config); }};
}

Candidate WithPool(const model::Pool& pool, const guard::BuiltFleet& desired) {
  return {[&] { return guard::ReplacePool(desired, pool); },
          [&] {
            // The caller sent one pool and does not know its place in the whole.
            auto diagnostics = model::ValidatePool(pool, 0);
            for (model::Diagnostic& diagnostic : diagnostics) {
              diagnostic.field =
                  absl::StrCat("pool", absl::StripPrefix(diagnostic.field, "pools[0]"));
            }
            return diagnostics;
          }};
}

// Building names one problem; the caller is told all. What cannot be built though it is valid, such
// as a pool with more backends than slots, is the input's fault too.
Evaluation CannotBuild(const Candidate& candidate, const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInvalidArgument &&
      status.code() != absl::StatusCode::kResourceExhausted) {
    return Failed(status);
  }
  if (auto diagnostics = candidate.diagnose(); !diagnostics.empty()) {
    return Invalid(std::move(diagnostics));
  }
  return Invalid({{.location = {}, .field = "pools", .message = std::string(status.message())}});
}

// What a candidate is held against.
struct Bases {
  Fleet asked;    // the configuration in force; null: there is none
  Fleet running;  // what packets see
  const health::Admission& admission;
};

// Which way a state comes to be judged.
enum class Path { kChange, kRollback, kHealth };

bool Overrides(const guard::Consent& consent, std::string_view rule) {
  return std::any_of(consent.overrides.begin(), consent.overrides.end(),
                     [&](const guard::Override& o) { return o.rule == rule; });
}

// Who cannot be reached enters with weight 0, where others that enter can be: what is judged, and
// then published and recorded, is the state in which they wait.
struct Entered {
  Fleet candidate;
  std::vector<guard::Waiting> waiting;
  model::Config asked;  // set where somebody waits
};

absl::StatusOr<Entered> Enter(Fleet candidate, const Fleet& base, const guard::Facts& facts,
                              const guard::Consent& consent) {
  Entered entered{.candidate = candidate, .waiting = {}, .asked = {}};
  if (base == nullptr || Overrides(consent, "LB010")) return entered;
  entered.waiting = guard::FindWaiting(*candidate, *base, facts);
  if (entered.waiting.empty()) return entered;
  entered.asked = candidate->ToConfig();
  model::Config config = entered.asked;
  guard::SetWaiting(entered.waiting, &config);
  absl::StatusOr<Fleet> built = guard::BuildFleet(config, candidate->key, candidate.get());
  if (!built.ok()) return built.status();
  entered.candidate = *std::move(built);
  return entered;
}

void Merge(guard::Verdict more, guard::Verdict* verdict) {
  verdict->severity = std::max(verdict->severity, more.severity);
  for (guard::Violation& violation : more.violations) {
    verdict->violations.push_back(std::move(violation));
  }
  std::stable_sort(verdict->violations.begin(), verdict->violations.end(),
                   [](const auto& a, const auto& b) { return a.severity > b.severity; });
}

// A change is judged as it was asked for, against what was asked for before: a server that is down
// does not make it look smaller or larger. Then, if that is not the same, as it would be published.
guard::Judgement JudgeChange(const Fleet& candidate, const Fleet& effective, const Bases& bases,
                             const guard::Facts& facts, const guard::Consent& consent) {
  guard::Judgement judgement = guard::Judge(candidate, bases.asked, facts, consent);
  if (effective == candidate && bases.asked == bases.running) return judgement;
  guard::Judgement published = guard::JudgeHealth(effective, bases.running, facts);
  Merge(std::move(published.verdict), &judgement.verdict);
  if (judgement.approval.has_value()) judgement.approval = std::move(published.approval);
  return judgement;
}

guard::Judgement Judge(Path path, const Fleet& candidate, const Fleet& effective,
                       const Bases& bases, const guard::Facts& facts,
                       const guard::Consent& consent) {
  switch (path) {
    case Path::kRollback:
      return guard::JudgeRollback(effective, bases.running, facts);
    case Path::kHealth:
      return guard::JudgeHealth(effective, bases.running, facts);
    case Path::kChange:
      break;
  }
  return JudgeChange(candidate, effective, bases, facts, consent);
}

health::Admission AdmissionOf(Path path, const guard::BuiltFleet& candidate, const Bases& bases,
                              const guard::Facts& facts) {
  if (path == Path::kHealth || bases.asked == nullptr) return bases.admission;
  // The way back does not wait for anybody to warm up.
  return path == Path::kRollback
             ? CarryOver(bases.admission, candidate, *bases.asked)
             : AdmitNew(bases.admission, candidate, *bases.asked, facts.host_policy);
}

// The pools that the verdict blocks.
std::set<std::string> Blocked(const guard::Verdict& verdict) {
  std::set<std::string> pools;
  for (const guard::Violation& violation : verdict.violations) {
    if (violation.severity == guard::Severity::kBlock) pools.insert(violation.pool);
  }
  return pools;
}

Evaluation BuildAndJudge(const Candidate& change, const Bases& bases, const Court& court,
                         Path path) {
  auto candidate = change.build();
  if (!candidate.ok()) return CannotBuild(change, candidate.status());
  absl::StatusOr<guard::Facts> facts = court.facts(**candidate);
  if (!facts.ok()) {
    return Failed(absl::Status(
        facts.status().code(),
        absl::StrCat("this host's addresses cannot be read: ", facts.status().message())));
  }
  Entered entered{.candidate = *std::move(candidate), .waiting = {}, .asked = {}};
  if (path == Path::kChange) {
    absl::StatusOr<Entered> reached = Enter(entered.candidate, bases.asked, *facts, court.consent);
    if (!reached.ok()) return Failed(reached.status());
    entered = *std::move(reached);
  }
  health::Admission admission = AdmissionOf(path, *entered.candidate, bases, *facts);
  absl::StatusOr<Fleet> effective;
  guard::Judgement judgement;
  while (true) {
    effective = WithAdmission(entered.candidate, admission, bases.running.get());
    if (!effective.ok()) return Failed(effective.status());
    judgement = Judge(path, entered.candidate, *effective, bases, *facts, court.consent);
    // To start slowly is a kindness. It never stands in the way of a change, or of health.
    health::Admission lifted = LiftParts(admission, Blocked(judgement.verdict));
    if (judgement.approval.has_value() || lifted == admission) break;
    admission = std::move(lifted);
  }
  guard::NoteWaiting(entered.waiting, entered.asked, &judgement.verdict);
  Evaluation result;
  result.admission = std::move(admission);
  result.candidate = std::move(entered.candidate);
  result.effective = *std::move(effective);
  result.verdict = std::move(judgement.verdict);
  result.approval = std::move(judgement.approval);
  result.kind = result.approval.has_value() ? Outcome::Kind::kValidated : Outcome::Kind::kRefused;
  return result;
}

// Whatever is thrown inside a check refuses the change; it never lets it pass.
Evaluation Guarded(const Candidate& change, const Bases& bases, const Court& court, Path path) {
  std::string reason;
  try {
    return BuildAndJudge(change, bases, court, path);
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "unknown exception";
  }
  Evaluation result;
  result.kind = Outcome::Kind::kRefused;
  result.verdict = RefuseUnjudged(reason);
  return result;
}

bool SameAsRunning(const Evaluation& evaluation, const State& state) {
  return state.applied.revision != 0 && state.kernel != nullptr &&
         evaluation.effective->digest == state.kernel->digest &&
         evaluation.candidate->HasConfigOf(*state.desired);
}

Evaluation UnlessSame(Evaluation evaluation, const State& state) {
  if (evaluation.kind == Outcome::Kind::kValidated && SameAsRunning(evaluation, state)) {
    evaluation.kind = Outcome::Kind::kNoChange;
  }
  return evaluation;
}

// What the kernel has counts where it is not what was meant.
Bases BasesOf(const State& state, const health::Admission& admission) {
  const bool as_meant = state.kernel != nullptr && state.kernel == state.intended;
  return {.asked = as_meant ? state.desired : state.kernel,
          .running = state.kernel,
          .admission = admission};
}

}  // namespace

Evaluation Evaluate(const Change& change, const State& state, const Court& court) {
  std::optional<model::Pool> pool = change.pool;
  if (change.edit.has_value()) {
    Edited edited = ApplyEdit(*change.edit, *state.desired);
    if (!edited.pool) return Invalid(std::move(edited.diagnostics));
    pool = std::move(edited.pool);
  }
  const Candidate candidate = change.config.has_value()
                                  ? Whole(*change.config, court.hash_key, state.desired.get())
                                  : WithPool(*pool, *state.desired);
  return UnlessSame(Guarded(candidate, BasesOf(state, state.admission), court, Path::kChange),
                    state);
}

Evaluation EvaluateRollback(const model::Config& config, const State& state, const Court& court) {
  const Candidate candidate = Whole(config, court.hash_key, state.desired.get());
  return UnlessSame(Guarded(candidate, BasesOf(state, state.admission), court, Path::kRollback),
                    state);
}

Evaluation EvaluateAlone(const model::Config& config, const Court& court,
                         const health::Admission& admission) {
  return Guarded(Whole(config, court.hash_key, nullptr),
                 {.asked = nullptr, .running = nullptr, .admission = admission}, court,
                 Path::kChange);
}

Evaluation EvaluateHealth(const State& state, const health::Admission& admission,
                          const Court& court) {
  const Candidate candidate{[&] { return absl::StatusOr<Fleet>(state.desired); },
                            [] { return std::vector<model::Diagnostic>{}; }};
  return UnlessSame(Guarded(candidate, BasesOf(state, admission), court, Path::kHealth), state);
}

}  // namespace evenkeel::engine
