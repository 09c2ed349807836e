// SPDX-License-Identifier: Apache-2.0
//
// How soon a skew is found, and whether an alarm outlives the night.
#ifndef EVENKEEL_TESTS_PROPERTY_DETECT_TRIALS_H_
#define EVENKEEL_TESTS_PROPERTY_DETECT_TRIALS_H_

#include <cstdint>
#include <vector>

namespace evenkeel::detect::simulation {

struct SkewOptions {
  int trials = 1000;
  uint64_t seed = 1;
  int servers = 10;
  double flows = 1000;          // a second
  double times = 3;             // its share, for one server
  double repeats = 0.03;        // part of the SYNs that come again at once
  bool new_generation = false;  // that it begins with
};
// Seconds from the beginning, at any moment between two ticks, to the page; 60 where there is none.
// Ascending.
std::vector<double> DetectionTimes(const SkewOptions& options);

// Seconds until a ticket, of a skew that lasts; `patience_s` where there is none, and less than
// zero where it is a page. Ascending.
std::vector<double> TicketTimes(const SkewOptions& options, int patience_s);

struct NightResult {
  int raised = 0, cleared_at_night = 0, marked = 0, cleared_after = 0;
};
// By day a skew, at night half a flow a second for eight hours and still the skew; then day and no
// skew.
NightResult RunNights(int trials, uint64_t seed);

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_PROPERTY_DETECT_TRIALS_H_
