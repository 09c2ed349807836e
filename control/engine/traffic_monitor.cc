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
  std::map<model::IpAddress, dataplane::Counter>* pool = nullptr;
  std::string_view name;
  for (const publish::BackendCounters& backend : counters.backends) {
    if (pool == nullptr || name != backend.pool) {  // they come pool by pool
      pool = &reading.backends[backend.pool];
      name = backend.pool;
    }
    pool->insert_or_assign(backend.address, backend.counter);
  }
  before_ = std::move(last_);
  last_ = std::move(reading);
}

int64_t TrafficMonitor::last_reading_ns() const {
  std::lock_guard lock(mutex_);
  return last_ ? last_->steady_ns : 0;
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
    auto& out = rates.backends[pool];
    for (const auto& [address, counter] : backends) {
      out.emplace_back(address, rate(Before(pool, address).packets, counter.packets));
    }
  }
  return rates;
}

dataplane::Counter TrafficMonitor::Before(const std::string& pool,
                                          const model::IpAddress& address) const {
  const auto backends = before_->backends.find(pool);
  if (backends == before_->backends.end()) return {};
  const auto found = backends->second.find(address);
  return found == backends->second.end() ? dataplane::Counter{} : found->second;
}

std::map<model::IpAddress, double> TrafficMonitor::Loads(const std::string& pool,
                                                         model::CapacityUnit unit) const {
  std::lock_guard lock(mutex_);
  std::map<model::IpAddress, double> loads;
  if (!before_ || !last_) return loads;
  const auto backends = last_->backends.find(pool);
  if (backends == last_->backends.end()) return loads;
  const double seconds = static_cast<double>(last_->steady_ns - before_->steady_ns) / 1e9;
  const auto per_second = [&](uint64_t before, uint64_t now) {
    return static_cast<double>(Since(before, now)) / seconds;
  };
  for (const auto& [address, now] : backends->second) {
    const dataplane::Counter before = Before(pool, address);
    double& load = loads[address];
    switch (unit) {
      case model::CapacityUnit::kPackets:
        load = per_second(before.packets, now.packets);
        break;
      case model::CapacityUnit::kBits:
        load = 8 * per_second(before.bytes, now.bytes);
        break;
      case model::CapacityUnit::kNewFlows:
        load = per_second(before.new_flows, now.new_flows);
        break;
      case model::CapacityUnit::kNone:
        break;
    }
  }
  return loads;
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
