// SPDX-License-Identifier: Apache-2.0
//
// One server of one pool: from its probes' results to whether it is up. Pure; steady times come
// from the caller, in nanoseconds, and need not be strictly ascending.
#ifndef EVENKEEL_CONTROL_HEALTH_SERVER_HEALTH_H_
#define EVENKEEL_CONTROL_HEALTH_SERVER_HEALTH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "control/health/flaps.h"
#include "control/health/states.h"
#include "control/model/config.h"

namespace evenkeel::health {

struct ProbeResult {
  bool ok = false;
  std::string cause{};  // of a failure: "connection refused"
};

struct Change {
  Health from, to;
  std::string cause;  // "3 probes failed: connection refused"
};

class ServerHealth {
 public:
  explicit ServerHealth(const Dampening& dampening) : flaps_(dampening) {}

  // Takes one result; `check` has `rise` and `fall`. What changes, if anything does.
  std::optional<Change> Note(const ProbeResult& result, const model::HealthCheck& check,
                             int64_t steady_ns);
  // Ends a hold that is over.
  std::optional<Change> Tick(int64_t steady_ns);

  // Of a server that nothing is known of: it waits, or it was out before a restart. No hold, but
  // for one that Remember brings back: it did not go down now.
  Change Wait();
  Change AssumeDown(int64_t steady_ns);
  // Its flaps before a restart; of one that is down also what is left of its hold.
  void Remember(const Flaps& flaps, int64_t hold_left_ns, int64_t steady_ns);

  Health state() const { return state_; }
  // Since when it is down or recovering, of a server that is; of one that is up, since when it is.
  int64_t since_ns() const { return since_ns_; }
  int64_t hold_until_ns() const { return hold_until_ns_; }
  const std::string& cause() const { return cause_; }  // of the state; empty where unknown

 private:
  Change Enter(Health to, std::string cause, int64_t steady_ns);
  void StartHold(int64_t steady_ns);
  std::optional<Change> Succeed(const model::HealthCheck& check, int64_t steady_ns);
  std::optional<Change> Fail(const ProbeResult& result, const model::HealthCheck& check,
                             int64_t steady_ns);

  Flaps flaps_;
  Health state_ = Health::kUnknown;
  std::string cause_;
  uint32_t successes_ = 0, failures_ = 0;  // in a row
  int64_t since_ns_ = 0;
  int64_t hold_until_ns_ = 0;
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_SERVER_HEALTH_H_
