// SPDX-License-Identifier: Apache-2.0
#include "control/engine/traffic_monitor.h"

#include <set>

namespace evenkeel::engine {
namespace {

constexpr int64_t Ns(std::chrono::nanoseconds time) { return time.count(); }

}  // namespace

void TrafficMonitor::Note(const publish::CounterReport& counters, int64_t steady_ns,
                          int64_t now_unix_ns) {
  std::lock_guard lock(mutex_);
  std::set<std::string_view> seen;
  for (const publish::VipCounters& counted : counters.vips) {
    seen.insert(counted.vip);
    const uint64_t packets = counted.counter.packets;
    const auto [found, first] = vips_.try_emplace(counted.vip);
    Vip& vip = found->second;
    // A counter that began anew (the name went to another VIP) counts from 0.
    const uint64_t since = first ? 0 : packets >= vip.counter ? packets - vip.counter : packets;
    vip.counter = packets;
    if (since > 0 || (first && packets > 0)) vip.last_packet_unix_ns = now_unix_ns;
    if (vip.samples.empty() || steady_ns - vip.samples.back().steady_ns >= Ns(kStep)) {
      vip.samples.push_back({.steady_ns = steady_ns, .packets = since});
    } else {
      vip.samples.back().packets += since;
    }
    while (steady_ns - vip.samples.front().steady_ns > Ns(kSpan)) vip.samples.pop_front();
  }
  std::erase_if(vips_, [&](const auto& vip) { return !seen.contains(vip.first); });
}

guard::Traffic TrafficMonitor::Report(const guard::BuiltFleet& running, int64_t steady_ns) const {
  std::lock_guard lock(mutex_);
  guard::Traffic traffic;
  for (const model::Vip& vip : running.vips) {
    guard::Traffic::Vip& out = traffic.vips[vip.name];
    const auto found = vips_.find(vip.name);
    if (found == vips_.end()) continue;
    out.last_packet_unix_ns = found->second.last_packet_unix_ns;
    for (const Sample& sample : found->second.samples) {
      if (steady_ns - sample.steady_ns <= Ns(kSpan)) out.packets += sample.packets;
    }
    traffic.pools[vip.pool] += out.packets;
  }
  return traffic;
}

}  // namespace evenkeel::engine
