// SPDX-License-Identifier: Apache-2.0
#include "control/engine/evaluate.h"

#include <exception>

#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"

namespace evenkeel::engine {
namespace {

// The change applied to `current`. For a change of one pool, `index` is the pool's place.
model::Config Merge(const Change& change, const model::Config& current,
                    std::optional<size_t>* index) {
  if (change.config.has_value()) return *change.config;
  model::Config merged = current;
  size_t at = 0;
  while (at < merged.pools.size() && merged.pools[at].name != change.pool->name) ++at;
  if (at == merged.pools.size()) {
    merged.pools.push_back(*change.pool);
  } else {
    merged.pools[at] = *change.pool;
  }
  *index = at;
  return merged;
}

// The caller sent one pool and does not know its place in the whole: "pools[57].x" is "pool.x".
void Relocate(size_t index, std::vector<model::Diagnostic>* diagnostics) {
  const std::string prefix = absl::StrCat("pools[", index, "]");
  for (model::Diagnostic& diagnostic : *diagnostics) {
    if (diagnostic.field.starts_with(prefix)) {
      diagnostic.field = absl::StrCat("pool", diagnostic.field.substr(prefix.size()));
    }
  }
}

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

// BuildFleet validates first and names one problem; the caller is told all. What cannot be built
// though it is valid, such as a pool with more backends than slots, is the input's fault too.
Evaluation CannotBuild(const model::Config& config, const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInvalidArgument &&
      status.code() != absl::StatusCode::kResourceExhausted) {
    return Failed(status);
  }
  if (auto diagnostics = model::Validate(config); !diagnostics.empty()) {
    return Invalid(std::move(diagnostics));
  }
  return Invalid({{.location = {}, .field = "pools", .message = std::string(status.message())}});
}

Evaluation BuildAndJudge(const model::Config& config,
                         const std::shared_ptr<const guard::BuiltFleet>& base, const Court& court) {
  auto candidate = guard::BuildFleet(config, court.hash_key, base.get());
  if (!candidate.ok()) return CannotBuild(config, candidate.status());
  absl::StatusOr<guard::HostFacts> facts = court.host_facts();
  if (!facts.ok()) {
    return Failed(absl::Status(
        facts.status().code(),
        absl::StrCat("this host's addresses cannot be read: ", facts.status().message())));
  }
  guard::Judgement judgement = guard::Judge(*candidate, base, *facts);
  Evaluation result;
  result.candidate = *std::move(candidate);
  result.verdict = std::move(judgement.verdict);
  result.approval = std::move(judgement.approval);
  result.kind = result.approval.has_value() ? Outcome::Kind::kValidated : Outcome::Kind::kRefused;
  return result;
}

// Whatever is thrown inside a check refuses the change; it never lets it pass.
Evaluation Guarded(const model::Config& config,
                   const std::shared_ptr<const guard::BuiltFleet>& base, const Court& court) {
  std::string reason;
  try {
    return BuildAndJudge(config, base, court);
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
         evaluation.candidate->digest == state.kernel->digest &&
         evaluation.candidate->config == *state.config;
}

}  // namespace

Evaluation Evaluate(const Change& change, const State& state, const Court& court) {
  std::optional<size_t> index;
  const model::Config config = Merge(change, *state.config, &index);
  Evaluation result = Guarded(config, state.kernel, court);
  if (index.has_value()) Relocate(*index, &result.diagnostics);
  if (result.kind == Outcome::Kind::kValidated && SameAsRunning(result, state)) {
    result.kind = Outcome::Kind::kNoChange;
  }
  return result;
}

Evaluation EvaluateAlone(const model::Config& config, const Court& court) {
  return Guarded(config, nullptr, court);
}

}  // namespace evenkeel::engine
