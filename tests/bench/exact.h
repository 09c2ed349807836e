// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_EXACT_H_
#define EVENKEEL_TESTS_BENCH_EXACT_H_

#include <string>
#include <vector>

#include "tests/bench/scenario.h"

namespace evenkeel::bench {

// Prints as JSON how many instructions a packet of each scenario takes beyond those of the harness.
// Needs a kernel whose clock counts instructions (scripts/vm --icount); fails on any other.
// Returns the exit code.
int RunExact(std::vector<Scenario> scenarios);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_EXACT_H_
