// SPDX-License-Identifier: Apache-2.0
//
// What is measured: a kind of traffic, how many flows, and what must become of each packet.
#ifndef EVENKEEL_TESTS_BENCH_SCENARIO_H_
#define EVENKEEL_TESTS_BENCH_SCENARIO_H_

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/world.h"

namespace evenkeel::bench {

struct Scenario {
  std::string name;
  testing::Packet packet;       // a client's; source address and port are replaced by the flow's
  uint32_t flows = 1;           // a power of two
  std::optional<uint32_t> vip;  // counter id; empty: for no VIP
  enum class Sends { kPacket, kEcho, kError } sends = Sends::kPacket;  // kError: about the packet
  bool pinned = false;                           // the flows of slots that change hands are pinned
  uint32_t first_flow = 0;                       // the flows are this one and those after it
  std::optional<uint16_t> names = std::nullopt;  // backend that the packet's connection id names
  uint32_t denied = 0;  // addresses that the source rules deny, near those of the flows
};

const std::vector<Scenario>& Scenarios();

// Counted as a new flow: a TCP SYN, or QUIC Initial.
bool OpensFlow(const testing::Packet& packet);

// What makes flow `index` of a scenario; neighbours in order have nothing in common.
struct FlowSource {
  std::array<uint8_t, 16> address{};  // IPv4: the first 4 bytes
  uint16_t port = 0;
};
FlowSource SourceOf(const Scenario& scenario, uint32_t index);

// The client's packet of flow `index`: the one that tells the server.
testing::Packet FlowPacket(const Scenario& scenario, uint32_t index);
// The packet that arrives for it.
testing::Packet SentPacket(const Scenario& scenario, uint32_t index);

struct Outcome {
  uint32_t action = 0;  // enum xdp_action
  testing::Bytes frame;
};
// What the balancer must make of `frame`, which is flow `index`'s.
Outcome ExpectedOutcome(const Scenario& scenario, uint32_t index, const testing::Bytes& frame);

// The set kRules for it.
std::vector<testing::RawRule> RulesOf(const Scenario& scenario);

// Pins of the scenario's flows, by hash; `now` in EK_SEEN units.
std::vector<std::pair<uint64_t, ek_pin>> PinsOf(const Scenario& scenario, uint32_t now);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_SCENARIO_H_
