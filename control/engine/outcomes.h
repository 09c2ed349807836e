// SPDX-License-Identifier: Apache-2.0
//
// How a request ends, with the state that is in force then.
#ifndef EVENKEEL_CONTROL_ENGINE_OUTCOMES_H_
#define EVENKEEL_CONTROL_ENGINE_OUTCOMES_H_

#include <string>
#include <vector>

#include "control/engine/engine.h"
#include "control/engine/evaluate.h"

namespace evenkeel::engine {

Outcome ToOutcome(Evaluation evaluation, const State& state);
Outcome Invalid(std::vector<model::Diagnostic> diagnostics, const State& state);
Outcome Stale(const Request& request, const State& state);  // its etag
Outcome Stale(std::string why, const State& state);
Outcome Failed(absl::Status status, const State& state);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_OUTCOMES_H_
