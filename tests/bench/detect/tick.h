// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_DETECT_TICK_H_
#define EVENKEEL_TESTS_BENCH_DETECT_TICK_H_

#include <cstddef>
#include <cstdint>

namespace evenkeel::detect::simulation {

struct TickResult {
  double p50_ms = 0, max_ms = 0;  // CPU time of one tick
  double bytes = 0;               // of memory that the detector holds
  size_t alarms = 0;              // open at the end
};

// `skewed`: so many of the pools send one server three times its share.
TickResult MeasureTicks(size_t pools, size_t servers, size_t skewed, int ticks);

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_BENCH_DETECT_TICK_H_
