// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_EDIT_H_
#define EVENKEEL_CONTROL_ENGINE_EDIT_H_

#include <vector>

#include "control/engine/engine.h"
#include "control/guard/fleet.h"

namespace evenkeel::engine {

// The edited pool as a whole, of `fleet`; or what is wrong with the edit.
struct Edited {
  std::optional<model::Pool> pool;
  std::vector<model::Diagnostic> diagnostics;
};
Edited ApplyEdit(const Edit& edit, const guard::BuiltFleet& fleet);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_EDIT_H_
