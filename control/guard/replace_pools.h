// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_GUARD_REPLACE_POOLS_H_
#define EVENKEEL_CONTROL_GUARD_REPLACE_POOLS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "control/guard/fleet.h"

namespace evenkeel::guard {

// As ReplacePool (fleet.h), of several pools at once: the state is copied and its digest taken only
// once, however many they are. No name may be there twice.
absl::StatusOr<std::shared_ptr<const BuiltFleet>> ReplacePools(
    const BuiltFleet& fleet, const std::vector<model::Pool>& pools, const BuiltFleet* like);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_REPLACE_POOLS_H_
