// SPDX-License-Identifier: Apache-2.0
//
// What is measured: a kind of traffic, how many flows, and what must become of each packet.
#ifndef EVENKEEL_TESTS_BENCH_SCENARIO_H_
#define EVENKEEL_TESTS_BENCH_SCENARIO_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/harness/prog_runner/raw_tables.h"

namespace evenkeel::bench {

inline constexpr testing::HashKey kKey = {0x8b1a9953c4611296, 0xa827abf8c47804d7};
inline constexpr uint32_t kTableSize = 65537;
inline constexpr uint32_t kPoolBackends = 100;
inline constexpr uint32_t kPools = 8;

struct Scenario {
  std::string name;
  testing::Packet packet;       // source address and port are replaced by the flow's
  uint32_t flows = 1;           // a power of two
  std::optional<uint32_t> vip;  // counter id; empty: for no VIP
};

std::vector<Scenario> Scenarios();

// The packet of flow `index`; neighbours in order have nothing in common.
testing::Packet FlowPacket(const Scenario& scenario, uint32_t index);

// The data plane that all scenarios run on: 8 pools of 100 backends, 14 VIPs.
std::vector<testing::RawVip> Vips();
std::vector<testing::Backend> PoolBackends(uint32_t pool);
std::vector<uint32_t> PoolSlots(uint32_t pool);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_SCENARIO_H_
