// SPDX-License-Identifier: Apache-2.0
//
// How servers that come (back) into a table get their share: in equal steps, so that neither a cold
// server nor the connections of the others notice much. Pure: the caller has the clock, and says
// what is in force; a step that was not published is made later.
#ifndef EVENKEEL_CONTROL_HEALTH_SLOW_START_H_
#define EVENKEEL_CONTROL_HEALTH_SLOW_START_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "control/health/admission.h"
#include "control/health/decision.h"
#include "control/model/config.h"

namespace evenkeel::health {

// The steps of servers that start slowly at the same time.
struct Steps {
  uint16_t permille = kWhole;  // of its share, that each of them gets with each step
  std::chrono::milliseconds interval{0};
};
// At least ten, and as many as it takes for no step to move more slots than the pool allows; one a
// second at most. At once, where the pool has no slow start, and where nobody else serves.
Steps StepsOf(const model::Pool& pool, const std::set<model::IpAddress>& starting);

class SlowStart {
 public:
  // Pools and servers that the configuration lets serve, with a health check or without.
  void Configure(const model::Config& config);

  // What is to be in force next. Who must not be in a table has nothing; who enters it, or its next
  // step is due, has a step more; in a pool that panics everybody has the whole.
  Admission Next(const Admission& in_force, const Decision& decision, int64_t steady_ns);

 private:
  struct Pool {
    model::Pool config;
    std::set<model::IpAddress> servers;
    int64_t next_step_ns = 0;  // 0: nobody starts
  };
  PoolAdmission NextOf(Pool& pool, const PoolAdmission& in_force, const PoolDecision* decision,
                       int64_t steady_ns);

  std::map<std::string, Pool> pools_;
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_SLOW_START_H_
