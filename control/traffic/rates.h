// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_TRAFFIC_RATES_H_
#define EVENKEEL_CONTROL_TRAFFIC_RATES_H_

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/model/ip_address.h"

namespace evenkeel::traffic {

// Forwarded packets per second, from two readings of the counters.
struct Rates {
  std::chrono::milliseconds interval{0};  // between the two; 0: there are no two, all is empty
  double all = 0;                         // that the program saw, also what it did not forward
  std::map<std::string, double> vips;     // by name
  // By pool, then its backends by address.
  std::map<std::string, std::vector<std::pair<model::IpAddress, double>>> backends;

  bool known() const { return interval.count() > 0; }
};

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_RATES_H_
