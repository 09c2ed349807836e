// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/scenario.h"

#include <arpa/inet.h>
#include <linux/bpf.h>

#include <algorithm>
#include <set>

#include "tests/bench/bench.h"

namespace evenkeel::bench {
namespace {

using testing::Bytes;
using testing::kTcp;
using testing::kTcpAck;
using testing::kTcpSyn;
using testing::kUdp;
using testing::Packet;
using Sends = Scenario::Sends;

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
  packet.dport = 53;
  packet.payload = 64;
  return packet;
}

// Of an open QUIC connection whose id names backend `server` (RFC 9000, 17.3).
Packet Quic(const std::string& dst, uint16_t server) {
  Packet packet = Udp(dst);
  packet.dport = 443;
  packet.data.resize(64, 0x5c);
  packet.data[0] = 0x40;
  packet.data[1] = kQuicConfig << 5;
  testing::Put16(packet.data, 2, static_cast<uint16_t>(kServerId + server));
  return packet;
}

// A client's first packet: a long header of type Initial (RFC 9000, 17.2.2).
Packet QuicInitial(const std::string& dst) {
  Packet packet = Quic(dst, 1);
  packet.data[0] = 0xc0;
  testing::Put32(packet.data, 1, 1);
  packet.data[5] = 8;
  return packet;
}

Packet WithPort(Packet packet, uint16_t port) {
  packet.dport = port;
  return packet;
}

// 32 bits to 32 bits, one to one: flow numbers to addresses without pattern.
uint32_t Scatter(uint32_t value) {
  value = (value ^ value >> 16) * 0x7feb352dU;
  value = (value ^ value >> 15) * 0x846ca68bU;
  return value ^ value >> 16;
}

uint32_t SlotWord(const Scenario& scenario, uint64_t hash) {
  return PoolSlots(Vips()[*scenario.vip].table)[testing::ExpectedSlot(hash, kTableSize)];
}

bool IsMoving(const Scenario& scenario, uint64_t hash) {
  return EK_SLOT_PREVIOUS(SlotWord(scenario, hash)) != 0;
}

// What the packet's slot and outer headers follow from.
uint64_t HashOf(const Scenario& scenario, const Packet& packet) {
  const uint64_t flow = FlowHash(kKey, packet);
  if (scenario.vip != kVipSource) return flow;
  return testing::JoinedHash(flow, SourceHash(kKey, packet, 32));
}

uint16_t ExpectedBackend(const Scenario& scenario, uint64_t hash) {
  if (scenario.names) return *scenario.names;
  const uint32_t word = SlotWord(scenario, hash);
  if (EK_SLOT_PREVIOUS(word) == 0 || OpensFlow(scenario.packet)) return EK_SLOT_OWNER(word);
  return scenario.pinned ? PinnedBackend(word) : EK_SLOT_PREVIOUS(word);
}

// What an ICMP message of BENCH_IMAGE_SIZE bytes has room for, IP header included.
size_t IcmpBody(const Packet& packet) { return BENCH_IMAGE_SIZE - (packet.is_ipv4() ? 28 : 48); }

// Of a router on the way to the client, about what the server sent to it.
Packet ErrorAbout(const Packet& packet) {
  Packet answer = packet;
  std::swap(answer.src, answer.dst);
  std::swap(answer.sport, answer.dport);
  const Bytes quoted = Build(answer);
  Packet error;
  error.src = packet.is_ipv4() ? "203.0.113.254" : "2001:db8:aaaa::fe";
  error.dst = packet.dst;
  error.proto = packet.is_ipv4() ? testing::kIcmp : testing::kIcmpv6;
  error.icmp =
      testing::IcmpMessage(packet.is_ipv4() ? 3 : 2, packet.is_ipv4() ? 4 : 0, 1400,
                           std::span(quoted).subspan(testing::kEthernetLength, IcmpBody(packet)));
  return error;
}

// An ICMP checksum of 0 is written as 0xffff, which is the same.
Bytes EchoReply(Packet request) {
  std::swap(request.src, request.dst);
  request.ttl = 64;
  request.icmp[0] = request.is_ipv4() ? 0 : 129;
  Bytes frame = testing::WithSwappedMacs(Build(request));
  const size_t check = TransportOffset(request) + 2;
  if (request.is_ipv4() && testing::Get16(frame, check) == 0) {
    testing::Put16(frame, check, 0xffff);
  }
  return frame;
}

// The first flow from `scenario.first_flow` on whose slot changes hands.
Scenario OneMovingFlow(Scenario scenario) {
  while (!IsMoving(scenario, FlowHash(kKey, FlowPacket(scenario, 0)))) ++scenario.first_flow;
  return scenario;
}

std::vector<Scenario> MakeScenarios() {
  const Packet data4 = Tcp("192.0.2.10", kTcpAck);
  const Packet data6 = Tcp("2001:db8::10", kTcpAck);
  const Packet moving = Tcp("192.0.2.50", kTcpAck);
  Packet marked = Tcp("192.0.2.90", kTcpAck);
  marked.tos = 46 << 2;
  std::vector<Scenario> all;
  for (const uint32_t flows : {1u, 131072u, 524288u, 4194304u}) {
    all.push_back({"tcp4-data-" + std::to_string(flows), data4, flows, kVipTcp4});
  }
  for (const uint32_t flows : {1u, 131072u, 524288u, 4194304u}) {
    all.push_back({"tcp6-data-" + std::to_string(flows), data6, flows, kVipTcp6});
  }
  const Scenario others[] = {
      {"tcp4-syn-flood", Tcp("192.0.2.10", kTcpSyn), 524288, kVipTcp4},
      {"tcp4-unknown-flood", data4, 524288, kVipTcp4},
      {"udp4-131072", Udp("192.0.2.10"), 131072, kVipUdp4},
      {"tcp4in6-131072", Tcp("192.0.2.20", kTcpAck), 131072, kVip4in6},
      {"quic4-id-131072", Quic("192.0.2.60", 3), 131072, kVipQuic, Sends::kPacket, false, 0, 3},
      {"quic4-initial-131072", QuicInitial("192.0.2.60"), 131072, kVipQuic},
      {"tcp4-gue-131072", Tcp("192.0.2.70", kTcpAck), 131072, kVipGue},
      {"tcp4-by-source-131072", Tcp("192.0.2.80", kTcpAck), 131072, kVipSource},
      {"tcp4-copy-dscp-131072", marked, 131072, kVipDscp},
      {"tcp4-deny-1000000", Tcp("192.0.2.100", kTcpAck), 131072, kVipRules, Sends::kPacket, false,
       0, std::nullopt, 1000000},
      {"tcp4-any-port-131072", WithPort(Tcp("192.0.2.40", kTcpAck), 8443), 131072, kVipAnyPort},
      OneMovingFlow({"tcp4-moving-pinned-1", moving, 1, kVipMoving, Sends::kPacket, true}),
      {"tcp4-moving-pinned-131072", moving, 131072, kVipMoving, Sends::kPacket, true},
      OneMovingFlow({"tcp4-moving-older-1", moving, 1, kVipMoving}),
      {"tcp4-moving-older-131072", moving, 131072, kVipMoving},
      // More flows than are remembered as opening: each SYN is a new one.
      {"tcp4-moving-syn-flood", Tcp("192.0.2.50", kTcpSyn), 4194304, kVipMoving},
      {"icmp4-echo", data4, 4096, std::nullopt, Sends::kEcho},
      {"icmp6-echo", data6, 4096, std::nullopt, Sends::kEcho},
      {"icmp4-error-131072", data4, 131072, kVipTcp4, Sends::kError},
      {"icmp6-error-131072", data6, 131072, kVipTcp6, Sends::kError},
      {"no-vip4", Tcp("192.0.2.99", kTcpAck), 131072, std::nullopt},
      {"no-vip6", Tcp("2001:db8::99", kTcpAck), 131072, std::nullopt},
  };
  all.insert(all.end(), std::begin(others), std::end(others));
  return all;
}

}  // namespace

const std::vector<Scenario>& Scenarios() {
  static const auto kScenarios = MakeScenarios();
  return kScenarios;
}

bool OpensFlow(const Packet& packet) {
  if (packet.proto == kTcp) return packet.tcp_flags == kTcpSyn;
  return !packet.data.empty() && packet.data[0] == 0xc0;
}

FlowSource SourceOf(const Scenario& scenario, uint32_t index) {
  index += scenario.first_flow;
  const uint32_t scattered = Scatter(index);
  FlowSource source;
  source.port = static_cast<uint16_t>(1024 + Scatter(index ^ 0x5bd1e995) % 64000);
  const auto byte = [&](int shift) { return static_cast<uint8_t>(scattered >> shift); };
  if (scenario.packet.is_ipv4()) {
    source.address = {100, byte(16), byte(8), byte(0)};
  } else {
    source.address = {0x20, 0x01, 0x0d, 0xb8, 0xff,     0xff,     0,       1,
                      0,    0,    0,    0,    byte(24), byte(16), byte(8), byte(0)};
  }
  return source;
}

Packet FlowPacket(const Scenario& scenario, uint32_t index) {
  Packet packet = scenario.packet;
  const FlowSource source = SourceOf(scenario, index);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(packet.is_ipv4() ? AF_INET : AF_INET6, source.address.data(), text, sizeof(text));
  packet.src = text;
  packet.sport = source.port;
  return packet;
}

Packet SentPacket(const Scenario& scenario, uint32_t index) {
  const Packet packet = FlowPacket(scenario, index);
  switch (scenario.sends) {
    case Sends::kPacket:
      return packet;
    case Sends::kEcho:
      return testing::EchoRequest(packet.src, packet.dst, IcmpBody(packet));
    case Sends::kError:
      return ErrorAbout(packet);
  }
  return packet;
}

Outcome ExpectedOutcome(const Scenario& scenario, uint32_t index, const Bytes& frame) {
  if (scenario.sends == Sends::kEcho) return {XDP_TX, EchoReply(SentPacket(scenario, index))};
  if (!scenario.vip) return {XDP_PASS, frame};
  const uint64_t hash = HashOf(scenario, FlowPacket(scenario, index));
  const auto& backends = PoolBackends(Vips()[*scenario.vip].table);
  testing::Backend backend = backends[ExpectedBackend(scenario, hash) - 1u];
  if (scenario.vip == kVipDscp) backend.tos = scenario.packet.tos & 0xfc;
  return {XDP_TX, ExpectedFrame(frame, backend, hash)};
}

std::vector<testing::RawRule> RulesOf(const Scenario& scenario) {
  std::set<uint32_t> flows;
  for (uint32_t i = 0; scenario.denied > 0 && i < scenario.flows; ++i) {
    flows.insert(Scatter(i + scenario.first_flow) & 0xffffff);
  }
  std::vector<testing::RawRule> rules = {{"0.0.0.0", 0, EK_SOURCE_ALLOW}};
  for (uint32_t i = 0; rules.size() <= scenario.denied; ++i) {
    const uint32_t host = Scatter(~i) & 0xffffff;
    if (!flows.insert(host).second) continue;
    const auto byte = [&](int shift) { return std::to_string(host >> shift & 0xff); };
    rules.push_back({"100." + byte(16) + "." + byte(8) + "." + byte(0), 32, EK_SOURCE_DENY});
  }
  return rules;
}

std::vector<std::pair<uint64_t, ek_pin>> PinsOf(const Scenario& scenario, uint32_t now) {
  std::vector<std::pair<uint64_t, ek_pin>> pins;
  for (uint32_t i = 0; scenario.pinned && i < scenario.flows; ++i) {
    const uint64_t hash = FlowHash(kKey, FlowPacket(scenario, i));
    if (!IsMoving(scenario, hash)) continue;
    const uint16_t id = PinnedBackend(SlotWord(scenario, hash));
    const auto& backend = PoolBackends(Vips()[*scenario.vip].table)[id - 1u];
    pins.emplace_back(hash, ek_pin{backend.counter, now, id, 0});
  }
  return pins;
}

}  // namespace evenkeel::bench
