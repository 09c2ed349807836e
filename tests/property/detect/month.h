// SPDX-License-Identifier: Apache-2.0
//
// Pools in good order over a long time: how often somebody is woken for nothing.
#ifndef EVENKEEL_TESTS_PROPERTY_DETECT_MONTH_H_
#define EVENKEEL_TESTS_PROPERTY_DETECT_MONTH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/property/detect/synthetic_pool.h"

namespace evenkeel::detect::simulation {

struct MonthOptions {
  size_t pools = 100;
  int64_t seconds = 30 * kDay;
  uint64_t seed = 1;
  Mix mix{};
  Thresholds thresholds{};
};

struct MonthResult {
  double pool_seconds = 0;
  uint64_t plans = 0, sampled = 0;          // generations; pools and seconds that were sampled
  std::vector<std::string> pages;           // what they said
  size_t clustered = 0;                     // pools where clients come in clusters
  std::map<std::string, uint64_t> tickets;  // by profile of the pool, kind, and diagnosis

  // In 30 days of a hundred pools.
  double PagesAMonth() const {
    return static_cast<double>(pages.size()) / (pool_seconds / (100.0 * 30 * kDay));
  }
};

MonthResult RunMonth(const MonthOptions& options);

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_PROPERTY_DETECT_MONTH_H_
