// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_MACHINE_H_
#define EVENKEEL_TESTS_BENCH_MACHINE_H_

#include "tests/bench/results.h"

namespace evenkeel::bench {

// This one, as it says itself; what it does not say is "unknown". Of the vulnerabilities those that
// affect it.
Machine DescribeMachine();

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_MACHINE_H_
