// SPDX-License-Identifier: Apache-2.0
//
// Servers that are out of the tables by their health, and a state without them.
#ifndef EVENKEEL_CONTROL_ENGINE_HEALTH_OUT_H_
#define EVENKEEL_CONTROL_ENGINE_HEALTH_OUT_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/guard/fleet.h"
#include "control/model/ip_address.h"

namespace evenkeel::engine {

// By pool; no pool has an empty set.
using HealthOut = std::map<std::string, std::set<model::IpAddress>>;

bool IsOut(const HealthOut& out, const std::string& pool, const model::IpAddress& server);

// `fleet` with the backends at these addresses disabled: no slot leads to them, and nobody's flows
// wait for them. `fleet` itself where none of them serves. What `like` (may be null) has the same
// is shared with it.
absl::StatusOr<std::shared_ptr<const guard::BuiltFleet>> WithoutOut(
    std::shared_ptr<const guard::BuiltFleet> fleet, const HealthOut& out,
    const guard::BuiltFleet* like);

// What SetHealth did.
struct HealthReport {
  struct Refusal {
    std::string pool;
    model::IpAddress server;
    std::string why;
  };
  std::vector<Refusal> refused;  // stay in the table, since the guard says so
  absl::Status status;           // publishing failed: nothing changed
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_HEALTH_OUT_H_
