// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_MEASURE_H_
#define EVENKEEL_TESTS_BENCH_MEASURE_H_

#include <string>
#include <vector>

#include "tests/bench/harness.h"
#include "tests/bench/results.h"

namespace evenkeel::bench {

// Checks the scenario, and measures it if it is right: in each round harness, floor, balancer and
// `others` one after the other. The string says what is wrong.
std::string MeasureScenario(Harness& harness, const Scenario& scenario,
                            const std::vector<Harness::Target>& others, uint32_t rounds,
                            uint32_t passes, ScenarioFigures* figures);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_MEASURE_H_
