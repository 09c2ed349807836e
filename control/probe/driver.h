// SPDX-License-Identifier: Apache-2.0
//
// What a kind of probe has to know: how to ask one target once. When, how often and how long is
// the runner's business.
#ifndef EVENKEEL_CONTROL_PROBE_DRIVER_H_
#define EVENKEEL_CONTROL_PROBE_DRIVER_H_

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "control/probe/probe.h"
#include "control/probe/schedule.h"

namespace evenkeel::probe {

// A Result without its time.
struct Outcome {
  bool healthy = false;
  bool own_fault = false;
  std::string cause;
  bool refused = false;  // by the other side: ECONNREFUSED
};

using OnEnd = std::function<void(TargetId, Outcome)>;

// Open sockets of all drivers; read by any thread.
using SocketCount = std::atomic<uint64_t>;

// Used by one thread. A driver's destructor closes all its sockets.
class Driver {
 public:
  virtual ~Driver() = default;

  // Begins a probe with one socket at most, and never waits. Its end is told once, maybe before
  // Start() returns, unless it is cancelled. `target` outlives the probe.
  virtual void Start(TargetId id, const Target& target) = 0;

  // Ends a probe without telling, its socket is closed. Returns what it waited for: "no answer".
  virtual std::string Cancel(TargetId id) = 0;

  // When Work() is to be called, if no event comes before.
  virtual std::optional<Nanos> NextWork() const { return std::nullopt; }
  virtual void Work(Nanos /*now*/) {}
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_DRIVER_H_
