// SPDX-License-Identifier: Apache-2.0
//
// LB010, second half: who cannot be reached while others can that enter with it gets no traffic
// yet.
#ifndef EVENKEEL_CONTROL_GUARD_ENTRY_H_
#define EVENKEEL_CONTROL_GUARD_ENTRY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "control/guard/guard.h"

namespace evenkeel::guard {

// A backend that a change gives traffic to and that packets do not get to.
struct Waiting {
  size_t pool = 0, backend = 0;  // indices of the candidate's configuration
  std::string problem;           // "no route to 10.0.1.9"
};

// Those of `candidate`, a change of `running`. None of a pool none of whose entering servers can be
// reached, unless they are listed with weight 0 already: that is refused (CheckReachability). None
// where reachability is not known, nor for a pool that has an exception of LB010.
std::vector<Waiting> FindWaiting(const BuiltFleet& candidate, const BuiltFleet& running,
                                 const Facts& facts);

// `config` with weight 0 for them.
void SetWaiting(const std::vector<Waiting>& waiting, model::Config* config);

// Adds a warning for each to the verdict of that state. `asked` has the weights that they would
// get.
void NoteWaiting(const std::vector<Waiting>& waiting, const model::Config& asked, Verdict* verdict);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_ENTRY_H_
