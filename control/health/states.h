// SPDX-License-Identifier: Apache-2.0
//
// What a server of a pool can be by its probes, and what leads from one to another: the one table
// of it, which docs/health.md shows.
#ifndef EVENKEEL_CONTROL_HEALTH_STATES_H_
#define EVENKEEL_CONTROL_HEALTH_STATES_H_

#include <span>
#include <string>
#include <string_view>

namespace evenkeel::health {

enum class Health {
  kUnknown,     // no verdict of the probes yet; counts as up
  kWaiting,     // joined a pool with `start: down`; out until its probes succeed, counts as neither
  kUp,          // by its probes, or since its hold is over
  kDown,        // by its probes, or was out before a restart
  kRecovering,  // its probes succeed again, but it has not been down for its minimum hold
};

// Lower case: "unknown", "recovering".
std::string_view ToString(Health health);

// Whether it should be in the table.
constexpr bool IsHealthy(Health health) {
  return health == Health::kUnknown || health == Health::kUp;
}
// Whether it is one of those that a pool's health is judged by.
constexpr bool Counts(Health health) { return health != Health::kWaiting; }

struct Edge {
  Health from, to;
  std::string_view when;
};

// Every change there is; nothing else happens.
std::span<const Edge> Edges();
bool IsEdge(Health from, Health to);

// The edges as a Mermaid state diagram, with the line feeds of a file.
std::string StateDiagram();

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_STATES_H_
