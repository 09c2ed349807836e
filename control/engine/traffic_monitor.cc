// SPDX-License-Identifier: Apache-2.0
#include "control/engine/traffic_monitor.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace evenkeel::engine {
namespace {

constexpr int64_t Ns(std::chrono::nanoseconds time) { return time.count(); }

// A counter that began anew counts from 0.
uint64_t Since(uint64_t before, uint64_t now) { return now >= before ? now - before : now; }

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
    const uint64_t since = first ? 0 : Since(vip.counter, packets);
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
  Keep(counters, steady_ns);
}

void TrafficMonitor::Keep(const publish::CounterReport& counters, int64_t steady_ns) {
  if (last_ && steady_ns - last_->steady_ns < Ns(kShortest)) return;
  Reading reading;
  reading.steady_ns = steady_ns;
  for (const publish::VipCounters& vip : counters.vips) {
    reading.vips[vip.vip] = vip.counter.packets;
    reading.all += vip.counter.packets;
  }
  for (const auto& [verdict, packets] : counters.verdicts) reading.all += packets;
  std::vector<std::pair<model::IpAddress, uint64_t>>* pool = nullptr;
  std::string_view name;
  for (const publish::BackendCounters& backend : counters.backends) {
    if (pool == nullptr || name != backend.pool) {  // they come pool by pool
      pool = &reading.backends[backend.pool];
      name = backend.pool;
    }
    pool->emplace_back(backend.address, backend.counter.packets);
  }
  for (auto& [of, backends] : reading.backends) std::sort(backends.begin(), backends.end());
  before_ = std::move(last_);
  last_ = std::move(reading);
}

traffic::Rates TrafficMonitor::Rates() const {
  std::lock_guard lock(mutex_);
  traffic::Rates rates;
  if (!before_ || !last_) return rates;
  const int64_t interval_ns = last_->steady_ns - before_->steady_ns;
  rates.interval =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(interval_ns));
  const auto rate = [&](uint64_t before, uint64_t now) {
    return static_cast<double>(Since(before, now)) * 1e9 / static_cast<double>(interval_ns);
  };
  rates.all = rate(before_->all, last_->all);
  for (const auto& [vip, packets] : last_->vips) {
    const auto before = before_->vips.find(vip);
    rates.vips[vip] = rate(before == before_->vips.end() ? 0 : before->second, packets);
  }
  for (const auto& [pool, backends] : last_->backends) {
    const auto before = before_->backends.find(pool);
    auto& out = rates.backends[pool];
    for (const auto& [address, packets] : backends) {
      uint64_t was = 0;
      if (before != before_->backends.end()) {
        const auto at = std::lower_bound(before->second.begin(), before->second.end(),
                                         std::pair(address, uint64_t{0}));
        if (at != before->second.end() && at->first == address) was = at->second;
      }
      out.emplace_back(address, rate(was, packets));
    }
  }
  return rates;
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
