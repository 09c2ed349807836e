// SPDX-License-Identifier: Apache-2.0
//
// From a change to a verdict: merge, validate, build, judge. Reads nothing but its arguments and
// the host's facts; changes nothing.
#ifndef EVENKEEL_CONTROL_ENGINE_EVALUATE_H_
#define EVENKEEL_CONTROL_ENGINE_EVALUATE_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "control/engine/admission.h"
#include "control/engine/engine.h"
#include "control/guard/guard.h"
#include "control/maglev/maglev.h"

namespace evenkeel::engine {

// The state in force, immutable once made: who plans reads one while the next is being applied.
struct State {
  Applied applied;                                   // without config
  std::shared_ptr<const guard::BuiltFleet> desired;  // in force; never null, at first empty
  health::Admission admission{};                     // who has less than its share
  // `desired` with that: what packets are to see. `desired` itself if all have the whole.
  std::shared_ptr<const guard::BuiltFleet> intended{};
  std::shared_ptr<const guard::BuiltFleet> kernel;  // what packets see; null: nothing published
};

// What is needed to judge, beside the states.
struct Court {
  maglev::HashKey hash_key{};
  // Of the host and of what runs, for this candidate. An error: nothing can be judged.
  std::function<absl::StatusOr<guard::Facts>(const guard::BuiltFleet& candidate)> facts;
  guard::Consent consent{};
};

struct Evaluation {
  // kInvalid, kRefused, kNoChange, kValidated, or kFailed where the host's facts are not known.
  Outcome::Kind kind = Outcome::Kind::kFailed;
  std::vector<model::Diagnostic> diagnostics;
  guard::Verdict verdict;
  absl::Status status;
  std::shared_ptr<const guard::BuiltFleet> candidate;  // where it could be built
  // Who has less than its share in it. Not always what was asked for: where the guard does not
  // accept that somebody starts slowly, since the others would have too much, nobody of its pool
  // does.
  health::Admission admission{};
  // `candidate` with that: what is published. Itself if all have the whole.
  std::shared_ptr<const guard::BuiltFleet> effective{};
  std::optional<guard::Approval> approval;  // of `effective`, where it was not refused
};

Evaluation Evaluate(const Change& change, const State& state, const Court& court);

// Of a state that was in force before: it is nearly never refused (guard::JudgeRollback).
Evaluation EvaluateRollback(const model::Config& config, const State& state, const Court& court);

// For a whole state without a base: the first bootstrap, and a restart. `admission`: as it was.
Evaluation EvaluateAlone(const model::Config& config, const Court& court,
                         const health::Admission& admission = {});

// The state in force with this admission: kValidated, kRefused, kNoChange or kFailed.
Evaluation EvaluateHealth(const State& state, const health::Admission& admission,
                          const Court& court);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_EVALUATE_H_
