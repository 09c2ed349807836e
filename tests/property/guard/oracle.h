// SPDX-License-Identifier: Apache-2.0
//
// What must hold of any accepted state, said again in other words than the rules': from the raw
// slots and the configuration, without the guard's views, helpers or numbers.
#ifndef EVENKEEL_TESTS_PROPERTY_GUARD_ORACLE_H_
#define EVENKEEL_TESTS_PROPERTY_GUARD_ORACLE_H_

#include <string>

#include "control/guard/fleet.h"

namespace evenkeel::guard::testing {

// What is wrong with `after` as the successor of `before` (null: the first state), or empty.
std::string FindFault(const BuiltFleet* before, const BuiltFleet& after);

}  // namespace evenkeel::guard::testing

#endif  // EVENKEEL_TESTS_PROPERTY_GUARD_ORACLE_H_
