// SPDX-License-Identifier: Apache-2.0
//
// Fragments: the first one decides, the others follow it.
#include <algorithm>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

struct Flow {
  std::string name;
  VipId vip;
  Packet packet;
};

Flow FlowTo(const std::string& name, VipId vip) {
  const RawVip& row = AllVips()[vip];
  Packet packet;
  packet.dst = row.address;
  packet.proto = row.proto;
  packet.dport = row.port != 0 ? row.port : 8080;
  packet.payload = 64;
  if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
  return {name, vip, packet};
}

std::vector<Flow> Flows() {
  return {FlowTo("tcp4", kVipTcp4),       FlowTo("udp4", kVipUdp4),
          FlowTo("udp4in6", kVipUdp4in6), FlowTo("udp4l2", kVipUdpL2v4),
          FlowTo("any4", kVipAnyPort4),   FlowTo("tcp6", kVipTcp6),
          FlowTo("udp6", kVipUdp6),       FlowTo("udp6l2", kVipUdpL2v6)};
}

// The fragment of `packet` at `offset` eights, of the packet with this identification.
Packet Fragment(Packet packet, uint16_t offset, bool more, uint16_t id = 0x1234) {
  if (packet.is_ipv4()) {
    packet.fragment_field = static_cast<uint16_t>((more ? 0x2000 : 0) | offset);
    packet.id = id;
  } else {
    packet.extensions = {ExtensionHeader::Fragment(
        static_cast<uint16_t>(offset << 3 | (more ? 1 : 0)), 0xabcd0000u | id)};
  }
  return packet;
}

Bytes First(const Packet& packet, uint16_t id = 0x1234) {
  const Packet first = Fragment(packet, 0, true, id);
  Bytes frame = Build(first);
  // The length of the whole datagram.
  if (packet.proto == kUdp) Put16(frame, TransportOffset(first) + 4, 4000);
  return frame;
}

// Where ports would be there is something else.
Bytes Later(const Packet& packet, uint16_t id = 0x1234, bool more = false) {
  Packet later = Fragment(packet, 9, more, id);
  later.sport = 1;
  later.dport = 2;
  return Build(later);
}

class Fragments : public World, public ::testing::WithParamInterface<Flow> {
 protected:
  const Packet& packet() const { return GetParam().packet; }
  void ExpectAtTheServer(const Packet& flow, const Bytes& frame) {
    ExpectForwarded(flow, frame, GetParam().vip, Backends(PoolOf(GetParam().vip)));
  }
};

TEST_P(Fragments, FollowTheFirst) {
  for (uint16_t port = 2000; port < 2020; ++port) {
    Packet flow = packet();
    flow.sport = port;
    ExpectAtTheServer(flow, First(flow, port));
    ExpectAtTheServer(flow, Later(flow, port, true));
    ExpectAtTheServer(flow, Later(flow, port));
  }
}

TEST_P(Fragments, FollowInAnyOrderAfterwards) {
  Packet one = packet(), two = packet();
  two.sport = 41000;
  ExpectAtTheServer(one, First(one, 1));
  ExpectAtTheServer(two, First(two, 2));
  ExpectAtTheServer(two, Later(two, 2));
  ExpectAtTheServer(one, Later(one, 1));
  ExpectAtTheServer(one, Later(one, 1));  // a duplicate
}

TEST_P(Fragments, OfANewPacketWithAnOldIdentification) {
  Packet one = packet(), two = packet();
  two.sport = 41000;
  ExpectAtTheServer(one, First(one));
  ExpectAtTheServer(two, First(two));
  ExpectAtTheServer(two, Later(two));
}

TEST_P(Fragments, BeforeTheFirstAreDropped) {
  ExpectVerdict(Later(packet()), EK_DROP_FRAGMENT);
  ExpectAtTheServer(packet(), First(packet()));
  ExpectAtTheServer(packet(), Later(packet()));
}

TEST_P(Fragments, OfAnotherPacketAreDropped) {
  ExpectAtTheServer(packet(), First(packet()));
  ExpectVerdict(Later(packet(), 0x1235), EK_DROP_FRAGMENT);
  Packet other = packet();
  other.src = other.is_ipv4() ? "198.51.100.8" : "2001:db8:ffff::8";
  ExpectVerdict(Later(other), EK_DROP_FRAGMENT);
}

TEST_P(Fragments, AreForgotten) {
  ExpectAtTheServer(packet(), First(packet()));
  balancer_->AgeFragments(EK_FRAG_LIFETIME_NS - 5000000000ULL);
  ExpectAtTheServer(packet(), Later(packet()));
  balancer_->AgeFragments(5000000001ULL);
  ExpectVerdict(Later(packet()), EK_DROP_FRAGMENT);
}

TEST_P(Fragments, InAVlan) {
  Packet tagged = packet();
  tagged.tags = {ServiceTag(7), VlanTag(100)};
  ExpectAtTheServer(tagged, First(tagged));
  ExpectAtTheServer(tagged, Later(tagged));
}

// All of it is the host's, whose reassembly needs every fragment.
TEST_P(Fragments, ForNoVipAreTheHosts) {
  Packet port = packet(), address = packet();
  port.dport = 81;
  address.dst = address.is_ipv4() ? "192.0.2.11" : "2001:db8::11";
  for (const Packet& other : {port, address}) {
    if (other.dst == packet().dst && GetParam().vip == kVipAnyPort4) continue;
    ExpectVerdict(First(other), EK_PASS_NO_VIP);
    ExpectVerdict(Later(other), EK_PASS_NO_VIP);
  }
}

TEST_P(Fragments, LongerThanTheFrameAreDropped) {
  for (Bytes frame : {First(packet()), Later(packet())}) {
    frame.pop_back();
    ExpectVerdict(frame, EK_DROP_L3_LENGTH);
  }
}

TEST_P(Fragments, TooSmallForTheirHeaderAreDropped) {
  const Packet first = Fragment(packet(), 0, true);
  Bytes frame = Build(first);
  const size_t ip = kEthernetLength, left = packet().proto == kTcp ? 16 : 7;
  frame.resize(TransportOffset(first) + left);
  const size_t length = frame.size() - ip;
  if (packet().is_ipv4()) {
    Put16(frame, ip + 2, static_cast<uint16_t>(length));
  } else {
    Put16(frame, ip + 4, static_cast<uint16_t>(length - 40));
  }
  ExpectVerdict(frame, EK_DROP_L4_TRUNCATED);
  ExpectVerdict(Later(packet()), EK_DROP_FRAGMENT);  // nothing was remembered
}

TEST_P(Fragments, WithoutHopsLeft) {
  Packet expired = packet();
  expired.ttl = 1;
  ExpectVerdict(First(expired), EK_DROP_TTL, GetParam().vip);
}

INSTANTIATE_TEST_SUITE_P(All, Fragments, ::testing::ValuesIn(Flows()),
                         [](const auto& param) { return param.param.name; });

TEST_F(World, FirstTcpFragmentOpensAFlow) {
  Packet packet;
  packet.tcp_flags = kTcpSyn;
  packet.fragment_field = 0x2000;
  ExpectForwarded(packet, kVipTcp4);
}

// The flood of a source must not end what others do: the oldest are forgotten, nothing else.
TEST_F(World, MoreFragmentedPacketsThanRoom) {
  Packet packet;
  packet.proto = kUdp;
  packet.dport = 53;
  for (uint32_t i = 0; i < 3 * EK_MAX_FRAGS; ++i) {
    packet.src = "100.64." + std::to_string(i >> 8 & 0xff) + "." + std::to_string(i & 0xff);
    const RunResult result = balancer_->Run(First(packet, static_cast<uint16_t>(i >> 16)));
    ASSERT_TRUE(result.action == XDP_TX || result.action == XDP_REDIRECT) << i;
  }
  packet.src = "198.51.100.7";
  ExpectForwarded(packet, First(packet), kVipUdp4, Backends(kPoolIpip4));
  ExpectForwarded(packet, Later(packet), kVipUdp4, Backends(kPoolIpip4));
}

// RFC 8200, section 4.5: only the first fragment says which protocol it is.
TEST_F(World, LaterIpv6FragmentWithAnotherNextHeader) {
  Flow flow = FlowTo("", kVipUdp6);
  ExpectForwarded(flow.packet, First(flow.packet), kVipUdp6, Backends(kPoolIpip6));
  Bytes later = Later(flow.packet);
  later[kEthernetLength + 40] = kTcp;
  ExpectForwarded(flow.packet, later, kVipUdp6, Backends(kPoolIpip6));
}

// Probes of the publisher change nothing.
TEST_F(World, VerifyRemembersNoFragment) {
  balancer_->Stage(balancer_->PutGeneration(1, AllVips()));
  Packet packet;
  EXPECT_NE(balancer_->Verify(First(packet)).action, XDP_DROP);
  ExpectVerdict(Later(packet), EK_DROP_FRAGMENT);
}

// Pools with source affinity can take a later fragment before its first: the source is enough.
class Orphans : public World {
 protected:
  void Use(uint32_t flags) {
    std::vector<RawVip> vips = AllVips();
    for (RawVip& vip : vips) vip.flags = flags;
    balancer_->Activate(balancer_->PutGeneration(1, vips));
  }
};

TEST_F(Orphans, GoWhereTheSourceLeads) {
  Use(EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(32, 128) | EK_VIP_FRAGMENTS);
  for (const VipId vip : {kVipTcp4, kVip4in6, kVipL2v4, kVipTcp6, kVipL2v6}) {
    for (uint16_t host = 1; host < 30; ++host) {
      Packet packet = FlowTo("", vip).packet;
      packet.proto = kUdp;
      packet.src = (packet.is_ipv4() ? "198.51.100." : "2001:db8:ffff::") + std::to_string(host);
      Packet portless = packet;
      portless.sport = portless.dport = 0;
      const uint64_t part = SourceHash(kKey, packet, packet.is_ipv4() ? 32 : 128);
      const std::vector<Backend> backends = Backends(PoolOf(vip));
      ExpectForwardedAs({.backend = backends[ExpectedSlot(part, kTableSize) % backends.size()],
                         .hash = JoinedHash(FlowHash(kKey, portless), part),
                         .orphan = true},
                        Later(packet, host), vip);
    }
  }
}

TEST_F(Orphans, FollowTheirFirstOnceItIsSeen) {
  Use(EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(32, 128) | EK_VIP_FRAGMENTS);
  const Packet packet = FlowTo("", kVipUdp4).packet;
  const uint64_t part = SourceHash(kKey, packet, 32);
  const std::vector<Backend> backends = Backends(kPoolIpip4);
  const Forwarded as = {.backend = backends[ExpectedSlot(part, kTableSize) % backends.size()],
                        .hash = JoinedHash(FlowHash(kKey, packet), part)};
  ExpectForwardedAs(as, First(packet), kVipUdp4);
  ExpectForwardedAs(as, Later(packet), kVipUdp4);
}

TEST_F(Orphans, AreDroppedByDefault) {
  Use(EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(32, 128));
  ExpectVerdict(Later(FlowTo("", kVipUdp4).packet), EK_DROP_FRAGMENT);
}

}  // namespace
}  // namespace evenkeel::testing
