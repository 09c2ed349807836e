// SPDX-License-Identifier: Apache-2.0
//
// What samples of a pool's packets say: which flows carry most, and whether few clients make all
// the new flows. Of the last 15 to 30 s, in bounded memory (about 16 KB).
#ifndef EVENKEEL_CONTROL_DETECT_FLOW_SAMPLE_H_
#define EVENKEEL_CONTROL_DETECT_FLOW_SAMPLE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "control/detect/alarm.h"
#include "control/detect/input.h"
#include "control/detect/sketch.h"

namespace evenkeel::detect {

class PoolSample {
 public:
  PoolSample(Spread spread, bool counts_flows) : spread_(spread), counts_flows_(counts_flows) {}

  void Add(const FlowSample& sample);
  // Forgets what is old.
  void Age(int64_t steady_ns);

  // Whether enough was sampled to speak of clients, and of flows.
  bool KnowsClients() const;
  bool KnowsFlows() const;

  // The chance that two new flows have the same reason to be on the same server: times their
  // number it is the dispersion of the servers' counts. Of all clients, also those of middle size
  // that no list of the heaviest has.
  double Clustering() const;

  // The largest part that one of them may have.
  double LargestClient() const;

  // What goes to the server: the few heaviest, and their part of the whole together.
  std::vector<Heavy> Clients(const model::IpAddress& server) const;
  std::vector<Heavy> Flows(const model::IpAddress& server) const;
  // Of all packets, by the heaviest flow of any server.
  double LargestFlow() const;

 private:
  // For what decides the slot alone: the other fields are empty.
  struct Key {
    model::IpAddress server, source;
    uint16_t source_port = 0, destination_port = 0;
    uint8_t ip_protocol = 0;

    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Epoch {
    Sketch<Key> flows{16};            // by bytes
    Sketch<Key> packets{16};          // the same flows by packets
    Sketch<Key> clients{32};          // by new flows, or packets where those are not counted
    std::vector<uint32_t> buckets{};  // clients' flows by a hash of the client; empty: none yet
  };
  using Entries = std::vector<Sketch<Key>::Entry>;
  static size_t BucketOf(const Key& key);
  Key ClientOf(const FlowSample& sample) const;
  uint64_t Total(Sketch<Key> Epoch::*of) const;
  Entries Merged(Sketch<Key> Epoch::*of) const;
  std::vector<Heavy> Heaviest(Sketch<Key> Epoch::*of, const model::IpAddress& server) const;

  Spread spread_;
  bool counts_flows_;
  std::array<Epoch, 2> epochs_;  // the present one first
  int64_t turned_ns_ = 0;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_FLOW_SAMPLE_H_
