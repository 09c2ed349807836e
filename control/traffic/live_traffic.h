// SPDX-License-Identifier: Apache-2.0
//
// What a change does to the traffic of now: what a plan shows of it. No address of a client.
#ifndef EVENKEEL_CONTROL_TRAFFIC_LIVE_TRAFFIC_H_
#define EVENKEEL_CONTROL_TRAFFIC_LIVE_TRAFFIC_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evenkeel::traffic {

struct Count {
  uint64_t packets = 0;
  uint64_t flows = 0;  // distinct

  friend bool operator==(const Count&, const Count&) = default;
};

// Of the VIPs that lead to a pool now.
struct PoolTraffic {
  std::string pool;
  // From counters: forwarded packets per second, and how many of them the slots carry that get
  // another owner. nullopt: not known yet.
  std::optional<double> packets_per_s, moved_packets_per_s;
  // From the sample; all 0 without one.
  Count sampled;
  Count moved;    // whose slot has another owner after the change; staying and cut add up to it
  Count staying;  // flows that end where they are: the former owner goes on serving them
  Count cut;      // flows that meet another backend at once, which knows nothing of them
};

struct SampleFacts {
  uint32_t one_in = 0;   // packets
  uint64_t packets = 0;  // of any destination, also those of no VIP
  uint64_t missed = 0;   // more than there was room for
  std::chrono::milliseconds lasted{0};
};

struct LiveTraffic {
  std::vector<PoolTraffic> pools;         // that the change concerns, in the order of what runs
  std::optional<SampleFacts> sample;      // nullopt: there is none
  std::string not_sampled;                // why; empty: there is one, or none was asked for
  std::chrono::milliseconds interval{0};  // that the counters were compared over; 0: not yet
};

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_LIVE_TRAFFIC_H_
