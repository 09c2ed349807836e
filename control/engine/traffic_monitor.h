// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_TRAFFIC_MONITOR_H_
#define EVENKEEL_CONTROL_ENGINE_TRAFFIC_MONITOR_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/guard/facts.h"
#include "control/guard/fleet.h"
#include "control/publish/publisher.h"
#include "control/traffic/rates.h"

namespace evenkeel::engine {

// What each VIP carried in the last five minutes, and what VIPs and backends carry now, from
// samples of their counters. Thread-safe.
class TrafficMonitor {
 public:
  static constexpr std::chrono::minutes kSpan{5};
  // Samples that lie closer together are one.
  static constexpr std::chrono::seconds kStep{10};
  // Between two that a rate is taken of, at least.
  static constexpr std::chrono::seconds kShortest{1};

  // Times may not go back. A VIP that is met for the first time with packets on its counter may
  // have carried them just now.
  void Note(const publish::CounterReport& counters, int64_t steady_ns, int64_t now_unix_ns);
  // Of the VIPs of `running`.
  guard::Traffic Report(const guard::BuiltFleet& running, int64_t steady_ns) const;
  int64_t last_reading_ns() const;  // steady; 0: there was none
  // Between the last two samples.
  traffic::Rates Rates() const;
  // The same of the servers of a pool, per second in `unit`; empty where it is not known.
  std::map<model::IpAddress, double> Loads(const std::string& pool, model::CapacityUnit unit) const;

 private:
  struct Sample {
    int64_t steady_ns = 0;
    uint64_t packets = 0;  // since the sample before
  };
  struct Vip {
    uint64_t counter = 0;
    int64_t last_packet_unix_ns = 0;
    std::deque<Sample> samples;
  };

  // All counters at one time. A hundred thousand backends are a few megabytes.
  struct Reading {
    int64_t steady_ns = 0;
    uint64_t all = 0;
    std::map<std::string, uint64_t> vips;
    std::map<std::string, std::map<model::IpAddress, dataplane::Counter>> backends;  // by pool
  };
  void Keep(const publish::CounterReport& counters, int64_t steady_ns);
  // Of a backend at the reading before; zero where it was not there.
  dataplane::Counter Before(const std::string& pool, const model::IpAddress& address) const;

  mutable std::mutex mutex_;
  std::map<std::string, Vip> vips_;       // by name
  std::optional<Reading> before_, last_;  // `before_` is older by kShortest or more
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_TRAFFIC_MONITOR_H_
