// SPDX-License-Identifier: Apache-2.0
//
// What a VIP's flags make of its packets: encapsulation in UDP, DSCP, and what leads to the slot.
#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr uint32_t kGuePool4 = kPoolIpip4, kGuePool6 = kPoolIpip6;

class Treatment : public World {
 protected:
  // All VIPs with these flags.
  void Use(uint32_t flags) {
    std::vector<RawVip> vips = AllVips();
    for (RawVip& vip : vips) vip.flags = flags;
    balancer_->Activate(balancer_->PutGeneration(++generation_, vips));
  }

  static Packet To(VipId vip, uint16_t sport = 40000) {
    const RawVip& row = AllVips()[vip];
    Packet packet;
    packet.dst = row.address;
    packet.proto = row.proto;
    packet.dport = row.port != 0 ? row.port : 8080;
    packet.sport = sport;
    if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
    return packet;
  }

  static Backend At(VipId vip, uint64_t hash) {
    const std::vector<Backend> backends = Backends(PoolOf(vip));
    return backends[ExpectedSlot(hash, kTableSize) % backends.size()];
  }

  uint32_t generation_ = 0;
};

class Gue : public Treatment {
 protected:
  void SetUp() override {
    Treatment::SetUp();
    balancer_->DropTable(kGuePool4);
    balancer_->DropTable(kGuePool6);
    balancer_->PutTable(kGuePool4, RoundRobin(kTableSize, 4), InUdp(kPoolIpip4));
    balancer_->PutTable(kGuePool6, RoundRobin(kTableSize, 4), InUdp(kPoolIpip6));
  }

  static std::vector<Backend> InUdp(Pool pool) {
    std::vector<Backend> backends = Backends(pool);
    for (Backend& backend : backends) {
      backend.method = pool == kPoolIpip6 ? Method::kGue6 : Method::kGue4;
    }
    return backends;
  }
};

TEST_F(Gue, CarriesEveryFamilyThatFits) {
  for (const VipId vip : {kVipTcp4, kVipUdp4, kVip4in6, kVipTcp6, kVipUdp6}) {
    for (uint16_t port = 1000; port < 1040; ++port) {
      const Packet packet = To(vip, port);
      ExpectForwarded(packet, Build(packet), vip, InUdp(PoolOf(vip)));
    }
  }
}

TEST_F(Gue, KeepsTagsAndOptions) {
  Packet packet = To(kVipTcp4);
  packet.tags = {VlanTag(7)};
  packet.ip_options = Bytes(8, 1);
  ExpectForwarded(packet, Build(packet), kVipTcp4, InUdp(kPoolIpip4));
  packet = To(kVipTcp6);
  packet.tags = {ServiceTag(7), VlanTag(9)};
  ExpectForwarded(packet, Build(packet), kVipTcp6, InUdp(kPoolIpip6));
}

// 28 and 48 bytes more, to the byte.
TEST_F(Gue, KnowsItsLength) {
  for (const auto& [vip, longest] : {std::pair(kVipTcp4, 1472u), std::pair(kVipTcp6, 1452u)}) {
    Packet packet = To(vip);
    const size_t headers = packet.is_ipv4() ? 40 : 60;
    packet.payload = longest - headers;
    ExpectForwarded(packet, Build(packet), vip, InUdp(PoolOf(vip)));
    ++packet.payload;
    const RunResult result = balancer_->Run(Build(packet));
    EXPECT_NE(result.action, XDP_REDIRECT);
    EXPECT_NE(Get16(result.frame, 12), 0) << "no frame";
    EXPECT_EQ(balancer_->ReadCounters().verdicts[EK_DROP_TOO_BIG] +
                  balancer_->ReadCounters().verdicts[EK_REPLY_TOO_BIG],
              vip == kVipTcp4 ? 1u : 2u);
  }
}

TEST_F(Treatment, DscpIsSet) {
  Use(EK_VIP_WITH_DSCP(46));
  for (const VipId vip : {kVipTcp4, kVip4in6, kVipTcp6}) {
    Packet packet = To(vip);
    packet.tos = 0x28 | 3;
    std::vector<Backend> backends = Backends(PoolOf(vip));
    for (Backend& backend : backends) backend.tos = 46 << 2;
    ExpectForwarded(packet, Build(packet), vip, backends);
  }
}

TEST_F(Treatment, DscpIsCopiedWithoutTheEcnBits) {
  Use(EK_VIP_COPY_DSCP);
  for (const VipId vip : {kVipTcp4, kVip4in6, kVipTcp6}) {
    for (const uint8_t tos : {0x00, 0x28, 0xb8, 0xff}) {
      Packet packet = To(vip);
      packet.tos = tos;
      std::vector<Backend> backends = Backends(PoolOf(vip));
      for (Backend& backend : backends) backend.tos = tos & 0xfc;
      ExpectForwarded(packet, Build(packet), vip, backends);
    }
  }
}

struct SourceCase {
  const char* name;
  uint8_t prefix4, prefix6;
};

class BySource : public Treatment, public ::testing::WithParamInterface<SourceCase> {
 protected:
  void ExpectAtSource(const Packet& packet, VipId vip) {
    const unsigned prefix = packet.is_ipv4() ? GetParam().prefix4 : GetParam().prefix6;
    const uint64_t hash = JoinedHash(FlowHash(kKey, packet), SourceHash(kKey, packet, prefix));
    ExpectForwardedAs({.backend = At(vip, hash), .hash = hash}, Build(packet), vip);
  }
};

TEST_P(BySource, TheSlotFollowsFromThePrefix) {
  Use(EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(GetParam().prefix4, GetParam().prefix6));
  for (const VipId vip : {kVipTcp4, kVipUdp4, kVipAnyPort4, kVipTcp6, kVipUdp6, kVipL2v4}) {
    for (int host = 1; host < 12; ++host) {
      Packet packet = To(vip, static_cast<uint16_t>(3000 + host));
      packet.src = packet.is_ipv4()
                       ? "198.51." + std::to_string(host * 16) + "." + std::to_string(host)
                       : "2001:db8:" + std::to_string(host) + ":1::" + std::to_string(host);
      ExpectAtSource(packet, vip);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, BySource,
                         ::testing::Values(SourceCase{"whole", 32, 128}, SourceCase{"net", 24, 64},
                                           SourceCase{"odd", 19, 37}, SourceCase{"first", 1, 1},
                                           SourceCase{"longer", 31, 65}),
                         [](const auto& test) { return test.param.name; });

TEST_F(Treatment, OneSourceHasOneServerWhateverThePorts) {
  Use(EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(32, 128));
  const Packet first = To(kVipTcp4);
  const uint64_t part = SourceHash(kKey, first, 32);
  for (uint16_t port = 1; port < 60; ++port) {
    const Packet packet = To(kVipTcp4, port);
    ExpectForwardedAs(
        {.backend = At(kVipTcp4, part), .hash = JoinedHash(FlowHash(kKey, packet), part)},
        Build(packet), kVipTcp4);
  }
}

TEST_F(Treatment, OneDestinationPortHasOneServer) {
  Use(EK_VIP_HASH_PORT);
  for (uint16_t port = 8000; port < 8040; ++port) {
    Packet packet = To(kVipAnyPort4, static_cast<uint16_t>(port + 7));
    packet.dport = port;
    packet.src = "198.51.100." + std::to_string(port % 250 + 1);
    const uint64_t hash = JoinedHash(FlowHash(kKey, packet), PortHash(kKey, packet));
    ExpectForwardedAs({.backend = At(kVipAnyPort4, hash), .hash = hash}, Build(packet),
                      kVipAnyPort4);
  }
}

// Slots that change hands, for VIPs that are not tracked, and for those of which every flow is.
class MovingTreatment : public Treatment {
 protected:
  static constexpr uint16_t kOwner = 1, kFormer = 2;

  void Move(VipId vip, uint64_t hash) {
    const uint32_t slot = ExpectedSlot(hash, kTableSize);
    balancer_->SetSlot(PoolOf(vip), slot, EK_SLOT(kOwner, kFormer));
  }
  void ExpectTo(uint16_t id, const Packet& packet, VipId vip) {
    ExpectForwardedTo(Backends(PoolOf(vip))[id - 1u], packet, Build(packet), vip);
  }
};

TEST_F(MovingTreatment, UntrackedConnectionsFollowTheSlot) {
  Use(EK_VIP_STATELESS);
  const Packet packet = To(kVipTcp4);
  Move(kVipTcp4, FlowHash(kKey, packet));
  ExpectTo(kOwner, packet, kVipTcp4);
  EXPECT_TRUE(balancer_->ReadPins(true).empty());
  EXPECT_TRUE(balancer_->ReadPins(false).empty());
}

TEST_F(MovingTreatment, TrackedFlowsStayWhereTheyAreMet) {
  Use(EK_VIP_PIN_ALL);
  const Packet packet = To(kVipUdp4);
  const uint64_t flow = FlowHash(kKey, packet);
  Move(kVipUdp4, flow);
  ExpectTo(kFormer, packet, kVipUdp4);
  EXPECT_EQ(balancer_->ReadPins(true).at(flow).backend, kFormer);
  EXPECT_EQ(balancer_->ReadPins(true).at(flow).flags, EK_PIN_MET) << "it may be an old one";
  ExpectTo(kFormer, packet, kVipUdp4);
  EXPECT_EQ(balancer_->ReadPins(false).at(flow).backend, kFormer);
  // The slot is tracked, and later another's: the flow stays.
  balancer_->SetSlot(kPoolIpip4, ExpectedSlot(flow, kTableSize), EK_SLOT(kOwner, kOwner));
  ExpectTo(kFormer, packet, kVipUdp4);
  const uint32_t slot = ExpectedSlot(flow, kTableSize);
  EXPECT_EQ(balancer_->GetLine(kPoolIpip4, slot / EK_SLOTS_PER_LINE).slot[slot % EK_SLOTS_PER_LINE],
            EK_SLOT(kOwner, kOwner))
      << "the used bit is for flows that are not pinned";
}

// Nothing else tells the end of the flow that was pinned: its pin must not come back.
TEST_F(MovingTreatment, APinWhoseBackendIsGoneIsForgotten) {
  Use(EK_VIP_PIN_ALL);
  const Packet packet = To(kVipUdp4);
  const uint64_t flow = FlowHash(kKey, packet);
  Move(kVipUdp4, flow);
  for (const bool opening : {true, false}) {
    balancer_->PutPin(flow, {.counter = 7777, .seen = 0, .backend = 3, .flags = 0}, opening);
    ExpectTo(kFormer, packet, kVipUdp4);
    EXPECT_EQ(balancer_->ReadPins(true).at(flow).backend, kFormer);
    EXPECT_TRUE(balancer_->ReadPins(false).empty());
  }
}

// Connections of one source share a slot, and are told apart all the same.
TEST_F(MovingTreatment, FlowsOfOneSourceArePinnedOneByOne) {
  Use(EK_VIP_HASH_SRC | EK_VIP_WITH_PREFIXES(32, 128));
  Packet old_one = To(kVipTcp4, 5000), new_one = To(kVipTcp4, 5001);
  const uint64_t part = SourceHash(kKey, old_one, 32);
  Move(kVipTcp4, part);
  const auto expect = [&](uint16_t id, const Packet& packet, bool opening) {
    ExpectForwardedAs({.backend = Backends(kPoolIpip4)[id - 1u],
                       .hash = JoinedHash(FlowHash(kKey, packet), part),
                       .new_flow = opening},
                      Build(packet), kVipTcp4);
  };
  expect(kFormer, old_one, false);
  new_one.tcp_flags = kTcpSyn;
  expect(kOwner, new_one, true);
  new_one.tcp_flags = kTcpAck;
  expect(kOwner, new_one, false);
  expect(kFormer, old_one, false);
}

}  // namespace
}  // namespace evenkeel::testing
