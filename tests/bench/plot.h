// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_PLOT_H_
#define EVENKEEL_TESTS_BENCH_PLOT_H_

#include <string>

#include "tests/bench/results.h"

namespace evenkeel::bench {

// An SVG of the ratios: a bar to each median with whiskers from minimum to maximum, and a line at
// the floor. It follows the reader's light or dark scheme. Pure; throws std::invalid_argument where
// there is nothing to show.
std::string RatioPlot(const Results& results);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_PLOT_H_
