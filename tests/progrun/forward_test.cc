// SPDX-License-Identifier: Apache-2.0
//
// Packets that are forwarded: backend, every output byte, counters.
#include <algorithm>
#include <set>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

struct Scenario {
  std::string name;
  VipId vip;
  Packet packet;
};

Packet For(VipId vip, uint16_t port = 0) {
  const RawVip& row = AllVips()[vip];
  Packet packet;
  packet.dst = row.address;
  packet.proto = row.proto;
  packet.dport = row.port != 0 ? row.port : port;
  if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
  return packet;
}

template <typename Change>
Scenario With(const std::string& name, VipId vip, Change change) {
  Packet packet = For(vip, 8080);
  change(packet);
  return {name, vip, packet};
}

enum Egress { kBack, kOther };

// A packet whose backend is reached over the interface that it came in on, or over another one.
Scenario Leaving(Egress egress, VipId vip) {
  Scenario scenario{"", vip, For(vip)};
  const auto back = [&] {
    const uint64_t hash = FlowHash(kKey, scenario.packet);
    const std::vector<Backend> backends = Backends(PoolOf(vip));
    return backends[ExpectedSlot(hash, kTableSize) % backends.size()].hop.ifindex ==
           kIngressIfindex;
  };
  while (back() != (egress == kBack)) ++scenario.packet.sport;
  return scenario;
}

ExtensionHeader Options(uint8_t type, size_t size) { return {type, Bytes(size - 2)}; }

std::vector<Scenario> Scenarios() {
  const auto same = [](Packet&) {};
  const auto syn = [](Packet& p) { p.tcp_flags = kTcpSyn; };
  return {
      With("tcp4-ipip4", kVipTcp4, same),
      With("udp4-ipip4", kVipUdp4, same),
      With("tcp4-ipip6", kVip4in6, same),
      With("udp4-ipip6", kVipUdp4in6, same),
      With("tcp4-l2", kVipL2v4, same),
      With("udp4-l2", kVipUdpL2v4, same),
      With("tcp6-ipip6", kVipTcp6, same),
      With("udp6-ipip6", kVipUdp6, same),
      With("tcp6-l2", kVipL2v6, same),
      With("udp6-l2", kVipUdpL2v6, same),
      With("tcp4-any-port", kVipAnyPort4, same),
      With("tcp4-any-port-zero", kVipAnyPort4, [](Packet& p) { p.dport = 0; }),
      With("tcp4-exact-port-beats-any-port", kVipExact4, same),
      With("tcp6-any-port", kVipAnyPort6, same),
      With("tcp4-syn-is-a-new-flow", kVipTcp4, syn),
      With("tcp6-syn-is-a-new-flow", kVipTcp6, syn),
      With("tcp4-syn-ack-is-no-new-flow", kVipTcp4,
           [](Packet& p) { p.tcp_flags = kTcpSyn | kTcpAck; }),
      With("tcp4-no-payload", kVipTcp4, [](Packet& p) { p.payload = 0; }),
      With("udp4-no-payload", kVipUdp4, [](Packet& p) { p.payload = 0; }),
      With("udp6-no-payload", kVipUdp6, [](Packet& p) { p.payload = 0; }),
      With("tcp4-odd-payload", kVipTcp4, [](Packet& p) { p.payload = 33; }),
      With("tcp4-tcp-options", kVipTcp4, [](Packet& p) { p.tcp_options = Bytes(40, 1); }),
      With("tcp4-ip-options-4", kVipTcp4, [](Packet& p) { p.ip_options = Bytes(4, 1); }),
      With("tcp4-ip-options-40", kVipTcp4, [](Packet& p) { p.ip_options = Bytes(40, 1); }),
      With("udp4-ip-options-l2", kVipUdpL2v4, [](Packet& p) { p.ip_options = Bytes(8, 1); }),
      With("tcp4-dont-fragment", kVipTcp4, [](Packet& p) { p.fragment_field = 0x4000; }),
      With("tcp4-tos", kVipTcp4, [](Packet& p) { p.tos = 0xb8; }),
      With("tcp4-padding", kVipTcp4, [](Packet& p) { p.payload = 0, p.padding = 20; }),
      With("tcp6-padding", kVipTcp6, [](Packet& p) { p.payload = 0, p.padding = 200; }),
      With("tcp4-ttl-2", kVipTcp4, [](Packet& p) { p.ttl = 2; }),
      With("tcp4-ttl-255", kVipTcp4, [](Packet& p) { p.ttl = 255; }),
      With("tcp6-hop-limit-2", kVipTcp6, [](Packet& p) { p.ttl = 2; }),
      With("tcp4-l2-ttl-2", kVipL2v4, [](Packet& p) { p.ttl = 2; }),
      With("tcp4-at-mtu", kVipTcp4, [](Packet& p) { p.payload = 1500 - 20 - 20 - 20; }),
      With("tcp4-4in6-at-mtu", kVip4in6, [](Packet& p) { p.payload = 1500 - 40 - 20 - 20; }),
      With("tcp6-at-mtu", kVipTcp6, [](Packet& p) { p.payload = 1500 - 40 - 40 - 20; }),
      With("tcp4-l2-at-mtu", kVipL2v4, [](Packet& p) { p.payload = 1500 - 20 - 20; }),
      With("tcp6-hop-by-hop", kVipTcp6, [](Packet& p) { p.extensions = {Options(0, 8)}; }),
      With("udp6-routing", kVipUdp6, [](Packet& p) { p.extensions = {Options(43, 24)}; }),
      With("tcp6-destination-options", kVipTcp6,
           [](Packet& p) { p.extensions = {Options(60, 64)}; }),
      With("tcp6-auth", kVipTcp6, [](Packet& p) { p.extensions = {ExtensionHeader::Auth()}; }),
      With("tcp6-atomic-fragment", kVipTcp6,
           [](Packet& p) { p.extensions = {ExtensionHeader::Fragment(0)}; }),
      With("tcp6-ext-limit", kVipTcp6,
           [](Packet& p) { p.extensions.assign(EK_MAX_IPV6_EXT_HEADERS, Options(60, 8)); }),
  };
}

// Each method and family with one and two tags; half of them leave by another interface, untagged.
std::vector<Scenario> Tagged() {
  const std::pair<std::string, std::vector<uint32_t>> kinds[] = {
      {"vlan", {VlanTag(0x6064)}},
      {"priority-tag", {VlanTag(0xe000)}},
      {"service-tag", {ServiceTag(100)}},
      {"qinq", {ServiceTag(7), VlanTag(100)}},
      {"qinq-8100", {VlanTag(7), VlanTag(100)}},
  };
  const std::pair<std::string, VipId> vips[] = {
      {"tcp4-ipip4", kVipTcp4}, {"udp4-ipip4", kVipUdp4}, {"tcp4-ipip6", kVip4in6},
      {"tcp4-l2", kVipL2v4},    {"tcp6-ipip6", kVipTcp6}, {"udp6-l2", kVipUdpL2v6},
  };
  std::vector<Scenario> scenarios;
  for (const auto& [tag_name, tags] : kinds) {
    for (const auto& [vip_name, vip] : vips) {
      for (const Egress egress : {kBack, kOther}) {
        Scenario scenario = Leaving(egress, vip);
        scenario.packet.tags = tags;
        scenario.name = vip_name + "-" + tag_name + (egress == kBack ? "-back" : "-other");
        scenarios.push_back(scenario);
      }
    }
  }
  const auto tag = [](Packet& p) { p.tags = {VlanTag(100)}; };
  scenarios.push_back(With("tcp4-vlan-at-mtu", kVipTcp4, [&](Packet& p) {
    tag(p);
    p.payload = 1500 - 20 - 20 - 20;
  }));
  scenarios.push_back(With("tcp4-vlan-padding", kVipTcp4, [&](Packet& p) {
    tag(p);
    p.payload = 0;
    p.padding = 16;
  }));
  scenarios.push_back(With("tcp6-vlan-extensions", kVipTcp6, [&](Packet& p) {
    tag(p);
    p.extensions = {Options(0, 8), ExtensionHeader::Auth()};
  }));
  scenarios.push_back(With("tcp4-vlan-any-port", kVipAnyPort4, tag));
  scenarios.push_back(With("tcp4-vlan-syn", kVipTcp4, [&](Packet& p) {
    tag(p);
    p.tcp_flags = kTcpSyn;
  }));
  return scenarios;
}

class Forward : public World, public ::testing::WithParamInterface<Scenario> {};

TEST_P(Forward, ToTheBackend) { ExpectForwarded(GetParam().packet, GetParam().vip); }

std::string Name(const ::testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Forward, ::testing::ValuesIn(Scenarios()), Name);
INSTANTIATE_TEST_SUITE_P(Tagged, Forward, ::testing::ValuesIn(Tagged()), Name);

// Every backend, the one behind another interface among them, and sources all over.
TEST_F(World, RotatingClientsReachEveryBackendWithSpreadSources) {
  std::set<Bytes> outer_sources;
  std::set<Bytes> backends;
  for (uint16_t i = 0; i < 200; ++i) {
    Packet packet = For(kVipTcp4);
    packet.src = "203.0.113." + std::to_string(i);
    packet.sport = static_cast<uint16_t>(30000 + i * 11);
    ExpectForwarded(packet, kVipTcp4);
    const Bytes frame = balancer_->Run(Build(packet)).frame;
    ASSERT_GE(frame.size(), 34u);
    outer_sources.insert(Bytes(frame.begin() + 26, frame.begin() + 30));
    backends.insert(Bytes(frame.begin() + 30, frame.begin() + 34));
  }
  EXPECT_EQ(backends.size(), 4u);
  EXPECT_GT(outer_sources.size(), 190u);  // 200 draws from 65536
}

TEST_F(World, OneFlowKeepsItsBackendAndSource) {
  const Bytes frame = Build(For(kVipTcp4));
  const Bytes first = balancer_->Run(frame).frame;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(balancer_->Run(frame).frame, first);
}

// The inner packet's checksums are what a backend verifies.
TEST_F(World, ChecksumsOfBothHeadersHold) {
  for (int ttl = 2; ttl < 256; ++ttl) {
    Packet packet = For(kVipTcp4);
    packet.ttl = static_cast<uint8_t>(ttl);
    packet.payload = static_cast<size_t>(ttl);
    const Bytes out = balancer_->Run(Build(packet)).frame;
    ASSERT_GE(out.size(), 54u);
    const std::span<const uint8_t> bytes(out);
    EXPECT_EQ(ChecksumFinish(ChecksumAdd(0, bytes.subspan(14, 20))), 0) << "outer, TTL " << ttl;
    EXPECT_EQ(ChecksumFinish(ChecksumAdd(0, bytes.subspan(34, 20))), 0) << "inner, TTL " << ttl;
  }
}

}  // namespace
}  // namespace evenkeel::testing
