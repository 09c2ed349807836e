// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/world.h"

#include <algorithm>
#include <random>
#include <string>

namespace evenkeel::bench {
namespace {

using testing::kTcp;
using testing::kUdp;

// These encapsulate in IPv6, the others IPv4 in IPv4.
bool EncapsulatesInIpv6(uint32_t pool) { return pool >= 4 && pool < kMovingPool; }

std::vector<testing::RawVip> MakeVips() {
  std::vector<testing::RawVip> vips;
  const auto add = [&](const std::string& address, uint16_t port, uint8_t proto, uint32_t pool,
                       uint32_t flags = 0) {
    const auto counter = static_cast<uint32_t>(vips.size());
    vips.push_back({address, port, proto, pool, kTableSize, counter, flags});
  };
  add("192.0.2.10", 443, kTcp, 0);
  add("2001:db8::10", 443, kTcp, 4);
  add("192.0.2.10", 53, kUdp, 1);
  add("192.0.2.20", 443, kTcp, 5);
  add("192.0.2.40", 0, kTcp, 2);
  add("192.0.2.50", 443, kTcp, kMovingPool);
  add("192.0.2.60", 443, kUdp, kQuicPool, EK_VIP_QUIC);
  add("192.0.2.70", 443, kTcp, kGuePool);
  add("192.0.2.80", 443, kTcp, 0, EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(32, 128));
  add("192.0.2.90", 443, kTcp, 0, EK_VIP_COPY_DSCP);
  add("192.0.2.100", 443, kTcp, 0);
  vips.back().rules = kRules;
  for (uint32_t i = 0; i < 8; ++i) add("192.0.2.10", static_cast<uint16_t>(8000 + i), kTcp, i % 4);
  add("2001:db8::10", 8000, kTcp, 6);
  return vips;
}

std::vector<testing::Backend> MakeBackends(uint32_t pool) {
  std::vector<testing::Backend> backends;
  const bool v6 = EncapsulatesInIpv6(pool);
  for (uint32_t i = 1; i <= kPoolBackends; ++i) {
    testing::Backend backend;
    backend.method = v6                 ? testing::Method::kIpip6
                     : pool == kGuePool ? testing::Method::kGue4
                                        : testing::Method::kIpip4;
    backend.address =
        (v6 ? "fd00:" + std::to_string(pool) + "::" : "10.0." + std::to_string(pool) + ".") +
        std::to_string(i);
    backend.source = v6 ? "fd00:ffff:1:2::" : "172.16.0.0";
    backend.hop.dmac = {2, 0, 0, static_cast<uint8_t>(pool), 1, static_cast<uint8_t>(i)};
    backend.hop.smac = {2, 0, 0, 0, 0, 2};
    backend.hop.ifindex = testing::kIngressIfindex;
    backend.counter = pool * kPoolBackends + i;
    backends.push_back(backend);
  }
  return backends;
}

uint16_t After(uint16_t backend) { return static_cast<uint16_t>(backend % kPoolBackends + 1); }

std::vector<uint32_t> MakeSlots(uint32_t pool) {
  std::vector<uint16_t> owners(kTableSize);
  for (uint32_t slot = 0; slot < kTableSize; ++slot) {
    owners[slot] = static_cast<uint16_t>(slot % kPoolBackends + 1);
  }
  std::mt19937 random(pool);
  std::shuffle(owners.begin(), owners.end(), random);
  std::vector<uint32_t> slots(kTableSize);
  for (uint32_t slot = 0; slot < kTableSize; ++slot) {
    const bool moves = pool == kMovingPool && slot % 10 == 0;
    slots[slot] = EK_SLOT(owners[slot], moves ? After(owners[slot]) : 0);
  }
  return slots;
}

template <typename Make>
auto ForEachPool(Make make) {
  std::vector<decltype(make(0u))> all;
  for (uint32_t pool = 0; pool < kPools; ++pool) all.push_back(make(pool));
  return all;
}

}  // namespace

const std::vector<testing::RawVip>& Vips() {
  static const auto kVips = MakeVips();
  return kVips;
}

const std::vector<testing::Backend>& PoolBackends(uint32_t pool) {
  static const auto kBackends = ForEachPool(MakeBackends);
  return kBackends[pool];
}

const std::vector<uint32_t>& PoolSlots(uint32_t pool) {
  static const auto kSlots = ForEachPool(MakeSlots);
  return kSlots[pool];
}

ek_line QuicHead() {
  ek_line line{};
  line.head.config_id = kQuicConfig;
  line.head.id_len = kServerIdLength;
  line.head.first = EK_BACKEND_LINE(kTableSize, kPoolBackends + 1);
  return line;
}

ek_line QuicIds() {
  ek_line line{};
  for (uint32_t i = 0; i < EK_IDS_PER_LINE; ++i) {
    line.ids.entry[i].id = kServerId + i + 1;
    line.ids.entry[i].backend = i + 1;
  }
  return line;
}

uint16_t PinnedBackend(uint32_t slot_word) { return After(EK_SLOT_PREVIOUS(slot_word)); }

}  // namespace evenkeel::bench
