// SPDX-License-Identifier: Apache-2.0
//
// A state as it is published: without the servers that are out by their health, and with less than
// their share for those that start slowly.
#ifndef EVENKEEL_CONTROL_ENGINE_ADMISSION_H_
#define EVENKEEL_CONTROL_ENGINE_ADMISSION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/guard/fleet.h"
#include "control/health/admission.h"
#include "control/history/history.h"
#include "control/model/ip_address.h"

namespace evenkeel::engine {

// `fleet` itself where nobody that serves has less than the whole. What `like` (may be null) has
// the same is shared with it.
absl::StatusOr<std::shared_ptr<const guard::BuiltFleet>> WithAdmission(
    std::shared_ptr<const guard::BuiltFleet> fleet, const health::Admission& admission,
    const guard::BuiltFleet* like);

// What of `now` is about servers that serve in `before` and go on to do so in `fleet`.
health::Admission CarryOver(const health::Admission& now, const guard::BuiltFleet& fleet,
                            const guard::BuiltFleet& before);
// The same, and how those begin that join a pool that served in `before`: with nothing, where the
// pool's health check says so and enough others serve; with a first step, where it starts new
// backends slowly. `host_policy` has a say in how many are enough.
health::Admission AdmitNew(const health::Admission& now, const guard::BuiltFleet& fleet,
                           const guard::BuiltFleet& before, const model::Policy& host_policy);

// True where somebody has a part of its share.
bool HasParts(const health::Admission& admission);
// Who has a part of its share, in these pools, has the whole.
health::Admission LiftParts(health::Admission admission, const std::set<std::string>& pools);

// Why a server that joins is out: no failure of its own.
inline constexpr char kWaitsForProbes[] = "joined the pool, and waits for its probes";

// Why a server has `permille` of its share from now on.
using CauseOfAdmission = std::function<std::string(
    const std::string& pool, const model::IpAddress& server, uint16_t permille)>;
// What differs, by pool and server; names are those of `fleet`.
std::vector<history::HealthChange> Differences(const health::Admission& before,
                                               const health::Admission& after,
                                               const guard::BuiltFleet& fleet,
                                               const CauseOfAdmission& cause, int64_t unix_ns);

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

#endif  // EVENKEEL_CONTROL_ENGINE_ADMISSION_H_
