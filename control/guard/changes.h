// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_GUARD_CHANGES_H_
#define EVENKEEL_CONTROL_GUARD_CHANGES_H_

#include "control/guard/rule.h"

namespace evenkeel::guard {

// The pool differs in nothing but that one server, still listed, no longer serves, and two others
// do (one, where `single_backend` is declared): an operator takes a bad host out. Removing its
// entry is not a drain.
bool IsDrainOfOne(const PoolState& before, const PoolState& after);

// Neither its table nor anything written about it differs.
bool IsUntouched(const PoolState& before, const PoolState& after);

// Nothing but the pool's backends differs, and what `single_backend` declares about them.
bool DiffersInBackendsOnly(const PoolState& before, const PoolState& after);

// The same pools by name, and all else equal.
bool DifferInPoolsOnly(const FleetState& before, const FleetState& after);

// The same table under the same policy: what is bad about it is as bad as before.
bool HasSameTraffic(const PoolState& before, const PoolState& after);

// Slots whose owner differs; all of `after` where the sizes do.
uint32_t SlotsMoved(const BuiltTable& before, const BuiltTable& after);

// Fills verdict.pools and verdict.vips. `base` may be null.
void DescribeChanges(const FleetState& candidate, const FleetState* base, Verdict& verdict);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_CHANGES_H_
