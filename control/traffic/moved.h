// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_TRAFFIC_MOVED_H_
#define EVENKEEL_CONTROL_TRAFFIC_MOVED_H_

#include <vector>

#include "control/guard/fleet.h"

namespace evenkeel::traffic {

// By server of `now`, as in now.servers: what part of the hashes that lead to it lead to another
// one, or to none, by `then`; 0..1. Exact, also between tables of different sizes. `same_hash`:
// both are asked with one hash of a flow; else with two that know nothing of each other.
std::vector<double> MovedParts(const guard::BuiltTable& now, const guard::BuiltTable& then,
                               bool same_hash);

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_MOVED_H_
