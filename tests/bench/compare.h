// SPDX-License-Identifier: Apache-2.0
//
// Two runs beside each other. Pure.
#ifndef EVENKEEL_TESTS_BENCH_COMPARE_H_
#define EVENKEEL_TESTS_BENCH_COMPARE_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/results.h"

namespace evenkeel::bench {

// One program in one scenario: its medians of the ratio to the floor.
struct Change {
  std::string scenario, program;
  std::optional<double> before, after;  // empty: that run has none
  double quotient() const { return before && after && *before > 0 ? *after / *before : 1; }
};

// In the order of `after`; then what is only in `before`.
std::vector<Change> Compare(const Results& before, const Results& after);

// Whether some ratio grew by more than `limit_percent`.
bool AnySlower(const std::vector<Change>& changes, double limit_percent);

// A table of all, and a line where the runs are not of one machine.
std::string CompareText(const Results& before, const Results& after, double limit_percent);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_COMPARE_H_
