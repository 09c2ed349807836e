// SPDX-License-Identifier: Apache-2.0
//
// The checks, one file each; rules.cc binds them to their ids and texts.
#ifndef EVENKEEL_CONTROL_GUARD_RULES_RULES_H_
#define EVENKEEL_CONTROL_GUARD_RULES_RULES_H_

#include "control/guard/rule.h"

namespace evenkeel::guard {

void CheckBackendShare(const PoolCase& c, Report& report);         // LB001
void CheckTableIntent(const PoolCase& c, Report& report);          // LB002
void CheckMinServing(const PoolCase& c, Report& report);           // LB003
void CheckNMinus1(const PoolCase& c, Report& report);              // LB004
void CheckRemovedAtOnce(const TransitionCase& c, Report& report);  // LB005
void CheckRemovedVips(const Case& c, Report& report);
void CheckRemapped(const TransitionCase& c, Report& report);   // LB006
void CheckWeights(const PoolCase& c, Report& report);          // LB007
void CheckDuplicates(const PoolCase& c, Report& report);       // LB008
void CheckAddresses(const PoolCase& c, Report& report);        // LB009
void CheckReachability(const PoolCase& c, Report& report);     // LB010
void CheckPace(const Case& c, Report& report);                 // LB014
void CheckLiveRemoval(const Case& c, Report& report);          // LB015
void CheckFreeze(const Case& c, Report& report);               // LB016
void CheckTableSize(const PoolCase& c, Report& report);        // LB017
void CheckFleetShare(const Case& c, Report& report);           // LB018
void CheckSourcesAdmitted(const PoolCase& c, Report& report);  // LB019
void CheckNewlyDenied(const Case& c, Report& report);

// Whether every serving backend has one.
bool DeclaresCapacity(const PoolState& state);

// True, and said so in the report, where there is no daemon that knows.
bool IsOffline(const Case& c, Report& report);
// A rule that cannot know refuses: "<what> is not known: <status>".
Finding& AddLacking(std::string_view what, const absl::Status& status, Report& report);

// "pools/web/backends/web-1" and "pools[0].backends[2]".
std::string BackendSubject(const PoolState& state, size_t backend);
std::string BackendField(const PoolState& state, size_t backend);

// "keep at least 2 of web-1..web-4 enabled", or "... at their present addresses" where the
// candidate has other servers under these names. `at_least` 0: all of them.
std::string KeepPhrase(const PoolState& after, const PoolState& before, size_t at_least,
                       std::vector<std::string> names);

// The fix for VIPs that move to a pool of other servers: they and their pool stay as they run.
void KeepVipsInPlace(const Transition& t, Finding& finding);

// Enables backends until `wanted` servers serve: first those that are listed, then those that ran
// before. Empty where there are not that many. `text` is the fix as a sentence.
std::vector<Edit> KeepServing(const PoolState& state, const PoolState* base, size_t wanted,
                              std::string& text);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_RULES_RULES_H_
