// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/scenario.h"

#include <algorithm>
#include <random>

namespace evenkeel::bench {
namespace {

using testing::kTcp;
using testing::kTcpAck;
using testing::kTcpSyn;
using testing::kUdp;
using testing::Packet;

// Pools 0 to 3 are IPv4 over IPv4, the others encapsulate in IPv6.
constexpr uint32_t kFirstIpv6Pool = 4;

Packet Tcp(const std::string& dst, uint8_t flags) {
  Packet packet;
  packet.dst = dst;
  packet.tcp_flags = flags;
  packet.payload = 52;
  return packet;
}

Packet Udp(const std::string& dst) {
  Packet packet;
  packet.dst = dst;
  packet.proto = kUdp;
  packet.payload = 64;
  return packet;
}

// 32 bits to 32 bits, one to one: flow numbers to addresses without pattern.
uint32_t Scatter(uint32_t value) {
  value = (value ^ value >> 16) * 0x7feb352dU;
  value = (value ^ value >> 15) * 0x846ca68bU;
  return value ^ value >> 16;
}

std::string Octets(uint32_t value) {
  return std::to_string(value >> 16 & 0xff) + "." + std::to_string(value >> 8 & 0xff) + "." +
         std::to_string(value & 0xff);
}

std::string Hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), "%x:%x", value >> 16, value & 0xffff);
  return text;
}

}  // namespace

std::vector<testing::RawVip> Vips() {
  std::vector<testing::RawVip> vips;
  const auto add = [&](const std::string& address, uint16_t port, uint8_t proto, uint32_t pool) {
    vips.push_back({address, port, proto, pool, kTableSize, static_cast<uint32_t>(vips.size())});
  };
  add("192.0.2.10", 443, kTcp, 0);
  add("2001:db8::10", 443, kTcp, 4);
  add("192.0.2.10", 53, kUdp, 1);
  add("192.0.2.20", 443, kTcp, 5);  // IPv4 in IPv6
  add("192.0.2.40", 0, kTcp, 2);    // every port
  for (uint32_t i = 0; i < 8; ++i) add("192.0.2.10", static_cast<uint16_t>(8000 + i), kTcp, i % 4);
  add("2001:db8::10", 8000, kTcp, 6);
  return vips;
}

std::vector<Scenario> Scenarios() {
  const Packet any_port = [] {
    Packet packet = Tcp("192.0.2.40", kTcpAck);
    packet.dport = 8443;
    return packet;
  }();
  Packet tcp6 = Tcp("2001:db8::10", kTcpAck);
  tcp6.src = "2001:db8:ffff::1";
  Packet none6 = tcp6;
  none6.dst = "2001:db8::99";
  return {
      {"tcp4-data-1", Tcp("192.0.2.10", kTcpAck), 1, 0},
      {"tcp4-data-131072", Tcp("192.0.2.10", kTcpAck), 131072, 0},
      {"tcp4-data-524288", Tcp("192.0.2.10", kTcpAck), 524288, 0},
      {"tcp6-data-1", tcp6, 1, 1},
      {"tcp6-data-131072", tcp6, 131072, 1},
      {"tcp4-syn-flood", Tcp("192.0.2.10", kTcpSyn), 524288, 0},
      {"tcp4-unknown-flood", Tcp("192.0.2.10", kTcpAck), 524288, 0},
      {"udp4-131072", Udp("192.0.2.10"), 131072, 2},
      {"tcp4in6-131072", Tcp("192.0.2.20", kTcpAck), 131072, 3},
      {"tcp4-any-port-131072", any_port, 131072, 4},
      {"no-vip4", Tcp("192.0.2.99", kTcpAck), 131072, std::nullopt},
      {"no-vip6", none6, 131072, std::nullopt},
  };
}

testing::Packet FlowPacket(const Scenario& scenario, uint32_t index) {
  Packet packet = scenario.packet;
  if (packet.proto == kUdp) packet.dport = 53;
  const uint32_t scattered = Scatter(index);
  packet.sport = static_cast<uint16_t>(1024 + Scatter(index ^ 0x5bd1e995) % 64000);
  packet.src = packet.is_ipv4() ? "100." + Octets(scattered) : "2001:db8:ffff:1::" + Hex(scattered);
  return packet;
}

std::vector<testing::Backend> PoolBackends(uint32_t pool) {
  std::vector<testing::Backend> backends;
  const bool v6 = pool >= kFirstIpv6Pool;
  for (uint32_t i = 1; i <= kPoolBackends; ++i) {
    testing::Backend backend;
    backend.method = v6 ? testing::Method::kIpip6 : testing::Method::kIpip4;
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

std::vector<uint32_t> PoolSlots(uint32_t pool) {
  std::vector<uint32_t> slots(kTableSize);
  for (uint32_t slot = 0; slot < kTableSize; ++slot) {
    slots[slot] = EK_SLOT(slot % kPoolBackends + 1, 0);
  }
  std::mt19937 random(pool);
  std::shuffle(slots.begin(), slots.end(), random);
  return slots;
}

}  // namespace evenkeel::bench
