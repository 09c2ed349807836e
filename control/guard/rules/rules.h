// SPDX-License-Identifier: Apache-2.0
//
// The checks, one file each; rules.cc binds them to their ids and texts.
#ifndef EVENKEEL_CONTROL_GUARD_RULES_RULES_H_
#define EVENKEEL_CONTROL_GUARD_RULES_RULES_H_

#include "control/guard/rule.h"

namespace evenkeel::guard {

void CheckBackendShare(const PoolCase& c, Report& report);     // LB001
void CheckTableIntent(const PoolCase& c, Report& report);      // LB002
void CheckMinServing(const PoolCase& c, Report& report);       // LB003
void CheckRemovedAtOnce(const Transition& t, Report& report);  // LB005
void CheckRemovedVips(const FleetState& candidate, const FleetState& base, Report& report);
void CheckRemapped(const Transition& t, Report& report);  // LB006
void CheckWeights(const PoolCase& c, Report& report);     // LB007
void CheckDuplicates(const PoolCase& c, Report& report);  // LB008
void CheckAddresses(const PoolCase& c, Report& report);   // LB009
void CheckTableSize(const PoolCase& c, Report& report);   // LB017

// What a rule lets a pool tighten: a value in (0, `loosest`] or absent. A value outside is a
// finding that names the field, and `loosest` stays in force.
double Tightened(const PoolState& state, std::string_view field, const std::optional<double>& value,
                 double lowest, double loosest, Report& report);

// "pools/web/backends/web-1" and "pools[0].backends[2]".
std::string BackendSubject(const PoolState& state, size_t backend);
std::string BackendField(const PoolState& state, size_t backend);

// Enables backends until `wanted` servers serve: first those that are listed, then those that ran
// before. Empty where there are not that many. `text` is the fix as a sentence.
std::vector<Edit> KeepServing(const PoolState& state, const PoolState* base, size_t wanted,
                              std::string& text);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_RULES_RULES_H_
