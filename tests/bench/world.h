// SPDX-License-Identifier: Apache-2.0
//
// The data plane that all scenarios run on: 10 pools of 100 backends, 20 VIPs.
#ifndef EVENKEEL_TESTS_BENCH_WORLD_H_
#define EVENKEEL_TESTS_BENCH_WORLD_H_

#include <vector>

#include "tests/harness/prog_runner/raw_tables.h"

namespace evenkeel::bench {

inline constexpr testing::HashKey kKey = {0x8b1a9953c4611296, 0xa827abf8c47804d7};
inline constexpr uint32_t kTableSize = 65537;
inline constexpr uint32_t kPoolBackends = 100;
inline constexpr uint32_t kPools = 10;
inline constexpr uint32_t kQuicPool = 3;    // connection ids name its first backends
inline constexpr uint32_t kMovingPool = 8;  // every tenth slot changes hands; else none does
inline constexpr uint32_t kGuePool = 9;
inline constexpr uint16_t kRules = 1;

// VIPs by counter id. More of them follow, so that the map of VIPs is not small.
enum VipId : uint32_t {
  kVipTcp4,     // 192.0.2.10:443
  kVipTcp6,     // [2001:db8::10]:443
  kVipUdp4,     // 192.0.2.10:53
  kVip4in6,     // 192.0.2.20:443
  kVipAnyPort,  // 192.0.2.40, every port
  kVipMoving,   // 192.0.2.50:443, kMovingPool
  kVipQuic,     // 192.0.2.60:443, QUIC, kQuicPool
  kVipGue,      // 192.0.2.70:443, kGuePool
  kVipSource,   // 192.0.2.80:443, by the source address
  kVipDscp,     // 192.0.2.90:443, the outer DSCP is the packet's
  kVipRules,    // 192.0.2.100:443, with the set kRules of source rules
};

const std::vector<testing::RawVip>& Vips();
const std::vector<testing::Backend>& PoolBackends(uint32_t pool);
// EK_SLOT words; the previous owner of slot `i` is not its owner.
const std::vector<uint32_t>& PoolSlots(uint32_t pool);

// Line behind the backends of kQuicPool; the server id of backend i is kServerId + i.
inline constexpr uint64_t kServerId = 0x1000;
inline constexpr uint8_t kQuicConfig = 2, kServerIdLength = 2;
ek_line QuicHead();
ek_line QuicIds();

// Of a flow that opened in the slot during a move before the present one: neither of its owners.
uint16_t PinnedBackend(uint32_t slot_word);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_WORLD_H_
