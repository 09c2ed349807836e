// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_TABLE_H_
#define EVENKEEL_TESTS_BENCH_TABLE_H_

#include <string>
#include <vector>

#include "tests/bench/results.h"

namespace evenkeel::bench {

// The results as lines of text: each program's columns behind the other's. Pure.
std::string TableHeader(const std::vector<std::string>& programs);
std::string TableRow(const ScenarioFigures& figures);
// "AMD EPYC, 2 CPUs, Linux 6.18 ..." and the mitigations, a line each.
std::string MachineText(const Machine& machine);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_TABLE_H_
