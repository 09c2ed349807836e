// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_METRICS_TALLIES_H_
#define EVENKEEL_CONTROL_METRICS_TALLIES_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "control/detect/alarm.h"
#include "control/engine/local_engine.h"
#include "control/publish/publisher.h"

namespace evenkeel::metrics {

// Durations by cumulative bounds, in seconds.
class Durations {
 public:
  // 100 us .. 30 s: a publication takes milliseconds, a large one seconds.
  static constexpr std::array<double, 14> kBounds = {
      0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30};

  void Add(double seconds);

  uint64_t count = 0;
  double sum = 0;
  std::array<uint64_t, kBounds.size()> up_to{};  // cumulative: how many took at most kBounds[i]
};

// What happens between two collections, since the daemon started. Thread-safe; whoever tells it
// something waits for nobody.
class Tallies {
 public:
  void CountJudged(const engine::Judged& judged);
  void CountPublished(const absl::StatusOr<publish::PublishResult>& result, double total_s);
  void CountAlarm(const detect::AlarmEvent& event);
  void CountTick(int64_t unix_ns, double duration_s);

  struct Snapshot {
    std::map<std::string, uint64_t> changes;                             // by outcome
    std::map<std::pair<std::string, std::string>, uint64_t> violations;  // by rule, severity
    std::map<std::string, uint64_t> overrides;                           // by rule
    std::map<std::string, Durations> publications;                       // by phase
    uint64_t publish_failures = 0;
    std::map<std::string, uint64_t> alarms;  // raised, by severity
    int64_t last_tick_unix_ns = 0;           // 0: none yet
    Durations ticks;
  };
  // What never happened is there as 0, so that a first time shows in rates.
  Tallies();
  Snapshot Read() const;

 private:
  mutable std::mutex mutex_;
  Snapshot now_;
};

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_CONTROL_METRICS_TALLIES_H_
