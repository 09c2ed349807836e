// SPDX-License-Identifier: Apache-2.0
#include "control/engine/outcomes.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::engine {

Outcome ToOutcome(Evaluation evaluation, const State& state) {
  Outcome outcome;
  outcome.kind = evaluation.kind;
  outcome.diagnostics = std::move(evaluation.diagnostics);
  outcome.verdict = std::move(evaluation.verdict);
  outcome.status = std::move(evaluation.status);
  outcome.applied = state.applied;
  return outcome;
}

Outcome Invalid(std::vector<model::Diagnostic> diagnostics, const State& state) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kInvalid;
  outcome.diagnostics = std::move(diagnostics);
  outcome.applied = state.applied;
  return outcome;
}

Outcome Stale(const Request& request, const State& state) {
  return Stale(
      absl::StrCat("etag ", absl::CEscape(request.etag), " is not that of the state in force (",
                   state.applied.etag, ", revision ", state.applied.revision, " by ",
                   state.applied.author.empty() ? "nobody" : state.applied.author,
                   "); plan the change again and apply it with the new etag"),
      state);
}

Outcome Stale(std::string why, const State& state) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kStale;
  outcome.status = absl::AbortedError(why);
  outcome.applied = state.applied;
  return outcome;
}

Outcome Failed(absl::Status status, const State& state) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kFailed;
  outcome.status = std::move(status);
  outcome.applied = state.applied;
  return outcome;
}

}  // namespace evenkeel::engine
