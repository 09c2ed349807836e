// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_PERCENTILE_H_
#define EVENKEEL_TESTS_BENCH_PERCENTILE_H_

#include <algorithm>
#include <cstddef>
#include <vector>

namespace evenkeel::testing {

// The nearest rank of `values`, which are not empty; `fraction` from 0 to 1.
inline double Percentile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_BENCH_PERCENTILE_H_
