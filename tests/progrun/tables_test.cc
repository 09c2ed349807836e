// SPDX-License-Identifier: Apache-2.0
//
// What the maps say: generations, the verifying program, next hops, empty slots, broken tables.
#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

const Packet kWeb{};  // 198.51.100.7 -> 192.0.2.10:443

class Tables : public World {
 protected:
  uint32_t WebSlot() const { return ExpectedSlot(FlowHash(kKey, kWeb), kTableSize); }
  uint32_t WebLine() const { return EK_BACKEND_LINE(kTableSize, WebSlot() % 4 + 1); }

  // Changes the line of the backend that the flow of kWeb belongs to.
  template <typename Change>
  void ChangeBackend(Change change) {
    ek_line line = balancer_->GetLine(kPoolIpip4, WebLine());
    change(line.backend);
    balancer_->SetLine(kPoolIpip4, WebLine(), line);
  }
};

TEST_F(Tables, NothingPublishedPassesEverything) {
  balancer_->Activate(EK_ACTIVE_NONE);
  ExpectVerdict(Build(kWeb), EK_PASS_NO_VIP);
  Bytes malformed = Build(kWeb);
  malformed[kEthernetLength] = 0x44;
  ExpectVerdict(malformed, EK_PASS_UNREADABLE);
}

TEST_F(Tables, FamilyBitSkipsTheLookup) {
  balancer_->Activate(EK_ACTIVE_HAS_VIPS6);
  ExpectVerdict(Build(kWeb), EK_PASS_NO_VIP);
}

TEST_F(Tables, AnyPortBitSkipsTheSecondLookup) {
  Packet packet = kWeb;
  packet.dst = "192.0.2.40";
  packet.dport = 8080;
  ExpectForwarded(packet, kVipAnyPort4);
  balancer_->Activate(EK_ACTIVE_HAS_VIPS4);
  ExpectVerdict(Build(packet), EK_PASS_NO_VIP);
}

TEST_F(Tables, OneWordMovesEveryVipToTheNextGeneration) {
  std::vector<RawVip> vips = AllVips();
  for (RawVip& vip : vips) vip.table = kPoolSpare;
  std::vector<Backend> spare = Backends(kPoolIpip6);
  for (Backend& backend : spare) backend.address = "fd00:9::9";
  balancer_->PutTable(kPoolSpare, RoundRobin(kTableSize, 4), spare);
  const uint32_t first =
      EK_ACTIVE_HAS_VIPS4 | EK_ACTIVE_HAS_VIPS6 | EK_ACTIVE_HAS_ANY_PORT4 | EK_ACTIVE_HAS_ANY_PORT6;
  const uint32_t second = balancer_->PutGeneration(5, vips);

  Packet six = kWeb;
  six.src = "2001:db8:ffff::7";
  six.dst = "2001:db8::10";
  for (int flip = 0; flip < 3; ++flip) {
    balancer_->Activate(second);
    ExpectForwarded(kWeb, Build(kWeb), kVipTcp4, spare);
    ExpectForwarded(six, Build(six), kVipTcp6, spare);
    balancer_->Activate(first);
    ExpectForwarded(kWeb, kVipTcp4);
    ExpectForwarded(six, kVipTcp6);
  }
}

TEST_F(Tables, GenerationWithoutMapsPassesEverything) {
  balancer_->Activate(7 | EK_ACTIVE_HAS_VIPS4);
  ExpectVerdict(Build(kWeb), EK_PASS_NO_VIP);
}

TEST_F(Tables, VerifySeesTheStagedGenerationAndCountsNothing) {
  std::vector<Backend> staged = Backends(kPoolIpip4);
  for (Backend& backend : staged) backend.address = "10.9.9.9";
  balancer_->PutTable(kPoolSpare, RoundRobin(kTableSize, 4), staged);
  std::vector<RawVip> vips = {AllVips()[kVipTcp4]};
  vips[0].table = kPoolSpare;
  balancer_->Stage(balancer_->PutGeneration(3, vips));

  const CounterSet before = balancer_->ReadCounters();
  const Bytes frame = Build(kWeb);
  const RunResult result = balancer_->Verify(frame);
  EXPECT_EQ(result.frame, ExpectedFrame(frame, BackendFor(staged, kWeb), FlowHash(kKey, kWeb)));
  Packet dns = kWeb;  // a VIP of the active generation only
  dns.proto = kUdp;
  dns.dport = 53;
  EXPECT_EQ(balancer_->Verify(Build(dns)).action, XDP_PASS);
  Packet expired = kWeb;
  expired.ttl = 1;
  EXPECT_EQ(balancer_->Verify(Build(expired)).action, XDP_DROP);
  const CounterSet after = balancer_->ReadCounters();
  EXPECT_EQ(before.TotalForwarded(), after.TotalForwarded());
  EXPECT_EQ(before.verdicts, after.verdicts);
  EXPECT_EQ(before.vips[kVipTcp4].drops, after.vips[kVipTcp4].drops);

  ExpectForwarded(kWeb, kVipTcp4);  // packets still use the active one
}

TEST_F(Tables, NextHopFlipsBetweenItsTwoPlaces) {
  std::vector<Backend> backends = Backends(kPoolIpip4);
  const uint32_t index = WebSlot() % 4;
  Hop other = backends[index].hop;
  other.dmac = {2, 9, 9, 9, 9, 9};
  other.ifindex = kEgressIfindex + 1;
  ChangeBackend([&](ek_backend& line) {
    std::copy(other.dmac.begin(), other.dmac.end(), line.nexthop[1].dmac);
    std::copy(other.smac.begin(), other.smac.end(), line.nexthop[1].smac);
    line.nexthop[1].ifindex = other.ifindex;
  });
  ExpectForwarded(kWeb, kVipTcp4);
  ChangeBackend([](ek_backend& line) { line.nexthop_sel = 2; });
  backends[index].hop = other;
  ExpectForwarded(kWeb, Build(kWeb), kVipTcp4, backends);
}

TEST_F(Tables, NoNextHop) {
  ChangeBackend([](ek_backend& line) { line.nexthop_sel = 0; });
  ExpectVerdict(Build(kWeb), EK_DROP_NO_NEXTHOP, kVipTcp4);
}

TEST_F(Tables, UnknownNextHopSelector) {
  ChangeBackend([](ek_backend& line) { line.nexthop_sel = 3; });
  ExpectVerdict(Build(kWeb), EK_DROP_NO_NEXTHOP, kVipTcp4);
}

TEST_F(Tables, EmptySlot) {
  balancer_->SetSlot(kPoolIpip4, WebSlot(), EK_SLOT(0, 0));
  ExpectVerdict(Build(kWeb), EK_DROP_NO_BACKEND, kVipTcp4);
}

TEST_F(Tables, MissingTable) {
  balancer_->DropTable(kPoolIpip4);
  ExpectVerdict(Build(kWeb), EK_DROP_INTERNAL, kVipTcp4);
}

TEST_F(Tables, SlotNamesABackendBeyondTheTable) {
  balancer_->SetSlot(kPoolIpip4, WebSlot(), EK_SLOT(5000, 0));
  ExpectVerdict(Build(kWeb), EK_DROP_INTERNAL, kVipTcp4);
}

TEST_F(Tables, SlotNamesAnUnusedLine) {
  ChangeBackend([](ek_backend& line) { line = {}; });
  ExpectVerdict(Build(kWeb), EK_DROP_INTERNAL, kVipTcp4);
}

TEST_F(Tables, UnknownMethod) {
  ChangeBackend([](ek_backend& line) { line.method = 200; });
  ExpectVerdict(Build(kWeb), EK_DROP_INTERNAL, kVipTcp4);
}

TEST_F(Tables, Ipv6OverIpv4IsNoMethod) {
  RawVip vip = AllVips()[kVipTcp6];
  vip.table = kPoolIpip4;
  balancer_->Activate(balancer_->PutGeneration(1, {vip}));
  Packet six = kWeb;
  six.src = "2001:db8:ffff::7";
  six.dst = "2001:db8::10";
  ExpectVerdict(Build(six), EK_DROP_INTERNAL, kVipTcp6);
}

TEST_F(Tables, TableLargerThanItsMap) {
  RawVip vip = AllVips()[kVipTcp4];
  vip.table_size = EK_MAX_TABLE_SIZE;
  balancer_->Activate(balancer_->PutGeneration(1, {vip}));
  ExpectVerdict(Build(kWeb), EK_DROP_INTERNAL, kVipTcp4);
}

// A counter that is not there costs the count, never the packet.
TEST_F(Tables, MissingCountersDoNotDrop) {
  RawVip vip = AllVips()[kVipTcp4];
  vip.counter = 1u << 30;
  balancer_->Activate(balancer_->PutGeneration(1, {vip}));
  ChangeBackend([](ek_backend& line) { line.counter = 1u << 30; });
  const Bytes frame = Build(kWeb);
  const Backend backend = BackendFor(Backends(kPoolIpip4), kWeb);
  EXPECT_EQ(balancer_->Run(frame).frame, ExpectedFrame(frame, backend, FlowHash(kKey, kWeb)));
  Packet expired = kWeb;
  expired.ttl = 1;
  ExpectVerdict(Build(expired), EK_DROP_TTL);
}

}  // namespace
}  // namespace evenkeel::testing
