// SPDX-License-Identifier: Apache-2.0
//
// Which target is to be probed when. Pure: times are the caller's, as durations since any epoch.
#ifndef EVENKEEL_CONTROL_PROBE_SCHEDULE_H_
#define EVENKEEL_CONTROL_PROBE_SCHEDULE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "control/model/ip_address.h"

namespace evenkeel::probe {

using Nanos = std::chrono::nanoseconds;
using TargetId = uint64_t;

inline constexpr int64_t kJitterDivisor = 20;  // 5 % of the interval, to either side

// Where a target has its place in the interval, and its jitter. The same in every process.
uint64_t SeedOf(std::string_view pool, const model::IpAddress& address, uint16_t port);

// When round `round` of a target begins. Grows with `round`; no sum of former rounds goes into it.
Nanos StartOf(uint64_t seed, Nanos interval, int64_t round);

class Schedule {
 public:
  struct Due {
    TargetId id = 0;
    Nanos at{};  // when it should begin
  };

  // `first_within`: see Options.
  explicit Schedule(Nanos first_within) : first_within_(first_within) {}

  // `id` must be new; interval > 0.
  void Add(TargetId id, uint64_t seed, Nanos interval, Nanos now);
  void Remove(TargetId id);

  std::optional<Nanos> NextDue() const;
  // What is due, in order. Each counts as running until Ended(); a round that comes meanwhile is
  // skipped.
  std::vector<Due> Take(Nanos now);
  void Ended(TargetId id);

  size_t size() const { return entries_.size(); }
  uint64_t skipped() const { return skipped_; }

 private:
  struct Entry {
    uint64_t seed = 0;
    Nanos interval{};
    int64_t next_round = 0;
    Nanos next{};
    bool running = false;
  };

  void Advance(Entry& entry, Nanos now);

  const Nanos first_within_;
  absl::flat_hash_map<TargetId, Entry> entries_;
  std::set<std::pair<Nanos, TargetId>> queue_;  // by Entry::next; every target once
  uint64_t skipped_ = 0;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_SCHEDULE_H_
