// SPDX-License-Identifier: Apache-2.0
#include "control/engine/drain_monitor.h"

namespace evenkeel::engine {

void DrainMonitor::Note(const publish::CounterReport& counters, const guard::BuiltFleet& desired,
                        int64_t steady_ns) {
  std::set<Key> leaving;
  for (const auto& pool : desired.pools) {
    for (const model::Backend& backend : pool->config.backends) {
      if (!backend.serving()) leaving.emplace(pool->name(), backend.address);
    }
  }
  std::lock_guard lock(mutex_);
  std::erase_if(counted_, [&](const auto& counted) { return !leaving.contains(counted.first); });
  if (leaving.empty()) return;
  for (const publish::BackendCounters& backend : counters.backends) {
    const Key key(backend.pool, backend.address);
    if (!leaving.contains(key)) continue;
    const uint64_t packets = backend.counter.packets;
    const auto [at, first] = counted_.try_emplace(key);
    Counted& counted = at->second;
    if (first) {
      counted = {
          .packets = packets, .packets_per_s = 0, .read_ns = steady_ns, .changed_ns = steady_ns};
      continue;
    }
    if (steady_ns <= counted.read_ns) continue;
    // One that began anew counts from 0.
    const uint64_t since = packets >= counted.packets ? packets - counted.packets : packets;
    counted.packets_per_s =
        static_cast<double>(since) * 1e9 / static_cast<double>(steady_ns - counted.read_ns);
    if (since > 0) counted.changed_ns = steady_ns;
    counted.packets = packets;
    counted.read_ns = steady_ns;
  }
}

std::optional<DrainMonitor::Flow> DrainMonitor::Find(const std::string& pool,
                                                     const model::IpAddress& server) const {
  std::lock_guard lock(mutex_);
  const auto at = counted_.find({pool, server});
  if (at == counted_.end()) return std::nullopt;
  const Counted& counted = at->second;
  return Flow{.packets = counted.packets,
              .packets_per_s = counted.packets_per_s,
              .idle = std::chrono::duration_cast<std::chrono::milliseconds>(
                  std::chrono::nanoseconds(counted.read_ns - counted.changed_ns))};
}

}  // namespace evenkeel::engine
