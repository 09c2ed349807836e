// SPDX-License-Identifier: Apache-2.0
//
// What health may take out of a table (LB011, LB012). Probes fail together more often than servers
// do; then a balancer that believes them sends everything to the few that are left. Pure: the
// caller has the clock.
#ifndef EVENKEEL_CONTROL_GUARD_HEALTH_LIMITS_H_
#define EVENKEEL_CONTROL_GUARD_HEALTH_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace evenkeel::guard {

// Of one pool: servers that the configuration lets serve, and how many of them answer.
struct PoolHealth {
  size_t serving = 0;
  size_t healthy = 0;
};

struct HealthLimit {
  bool holds = false;    // the table stays as it is: alarm
  std::string observed;  // "3 of 8 servers healthy"
  std::string limit;     // "at least 50.0 %"
};

// LB011: with fewer than half healthy the table is frozen, and traffic goes on to all of it.
HealthLimit JudgeMassFailure(const PoolHealth& health);

// LB012: how many servers may be taken out now, after those of the last minute (Unix time, in any
// order); at most max(1, 10 % of `serving`) in a minute.
size_t RemovalsAllowed(size_t serving, std::span<const int64_t> removals_unix_ns,
                       int64_t now_unix_ns);
HealthLimit JudgeRemovals(size_t wanted, size_t serving, std::span<const int64_t> removals_unix_ns,
                          int64_t now_unix_ns);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_HEALTH_LIMITS_H_
