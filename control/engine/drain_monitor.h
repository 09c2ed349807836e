// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_DRAIN_MONITOR_H_
#define EVENKEEL_CONTROL_ENGINE_DRAIN_MONITOR_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "control/guard/fleet.h"
#include "control/publish/publisher.h"

namespace evenkeel::engine {

// Since when servers that are to get nothing new have got nothing, from readings of their counters:
// those that the daemon takes anyway, so that a wait that begins late knows it. Thread-safe.
class DrainMonitor {
 public:
  // Times may not go back. Looks at the backends of `desired` that do not serve.
  void Note(const publish::CounterReport& counters, const guard::BuiltFleet& desired,
            int64_t steady_ns);

  struct Flow {
    uint64_t packets = 0;
    double packets_per_s = 0;  // between the last two readings
    // Since the last reading with packets, or the first one of all.
    std::chrono::milliseconds idle{0};
  };
  // As of the last reading; nothing: it was not read yet.
  std::optional<Flow> Find(const std::string& pool, const model::IpAddress& server) const;

 private:
  using Key = std::pair<std::string, model::IpAddress>;
  struct Counted {
    uint64_t packets = 0;
    double packets_per_s = 0;
    int64_t read_ns = 0, changed_ns = 0;
  };

  mutable std::mutex mutex_;
  std::map<Key, Counted> counted_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_DRAIN_MONITOR_H_
