// SPDX-License-Identifier: Apache-2.0
//
// QUIC VIPs: connection ids that name a server, and what opens a connection.
#include <cstring>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr uint8_t kConfig = 2;
constexpr uint32_t kV1 = 1;

// A connection id of this configuration that names `server`, with a nonce of eight bytes.
Bytes ConnectionId(uint16_t server, uint8_t config = kConfig) {
  Bytes id = {static_cast<uint8_t>(config << 5 | 0x0a), static_cast<uint8_t>(server >> 8),
              static_cast<uint8_t>(server)};
  id.resize(11, 0x5c);
  return id;
}

Bytes Short(const Bytes& id) {
  Bytes payload = {0x41};
  Append(payload, id);
  payload.resize(payload.size() + 30, 0x77);
  return payload;
}

Bytes Long(uint8_t type, const Bytes& id) {
  Bytes payload(6);
  payload[0] = static_cast<uint8_t>(0xc0 | type << 4);
  Put32(payload, 1, kV1);
  payload[5] = static_cast<uint8_t>(id.size());
  Append(payload, id);
  payload.resize(payload.size() + 40, 0x77);
  return payload;
}

constexpr uint8_t kInitial = 0, kZeroRtt = 1, kHandshake = 2;

// Server ids 0x1001.. of two bytes name the pool's backends.
class Quic : public World, public ::testing::WithParamInterface<VipId> {
 protected:
  void SetUp() override {
    World::SetUp();
    std::vector<RawVip> vips = AllVips();
    for (RawVip& vip : vips) vip.flags = EK_VIP_QUIC;
    balancer_->Activate(balancer_->PutGeneration(1, vips));
    PutServerIds();
  }

  void LimitNewFlows(const ek_limit& limit) {
    std::vector<RawVip> vips = AllVips();
    for (RawVip& vip : vips) {
      vip.flags = EK_VIP_QUIC;
      vip.new_flow_limit = limit;
    }
    balancer_->Activate(balancer_->PutGeneration(2, vips));
  }

  // A table with its backends and, behind them, one bucket of server ids.
  void PutServerIds() {
    const Pool pool = PoolOf(GetParam());
    balancer_->DropTable(pool);
    balancer_->PutTable(pool, RoundRobin(kTableSize, 4), All(), 1);
    const uint32_t first = EK_BACKEND_LINE(kTableSize, 5);
    ek_line ids{};
    for (uint32_t i = 0; i < EK_IDS_PER_LINE; ++i) {
      ids.ids.entry[i].id = 0x1001 + i;
      ids.ids.entry[i].backend = i + 1;
    }
    balancer_->SetLine(pool, first, ids);
    ek_line head{};
    head.head.config_id = kConfig;
    head.head.id_len = 2;
    head.head.first = first;
    balancer_->SetLine(pool, EK_BACKEND_LINE(kTableSize, 0), head);
  }

  static Packet Datagram(const Bytes& payload, uint16_t sport = 40000) {
    const RawVip& row = AllVips()[GetParam()];
    Packet packet;
    packet.dst = row.address;
    packet.proto = kUdp;
    packet.dport = row.port;
    packet.sport = sport;
    packet.data = payload;
    if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
    return packet;
  }

  void ExpectAt(const Backend& backend, const Packet& packet, bool opens = false) {
    ExpectForwardedAs({.backend = backend, .hash = FlowHash(kKey, packet), .new_flow = opens},
                      Build(packet), GetParam());
  }
  std::vector<Backend> All() const { return Backends(PoolOf(GetParam())); }
  void ExpectByHash(const Packet& packet, bool opens = false) {
    ExpectAt(BackendFor(All(), packet), packet, opens);
  }
  void Move(const Packet& packet, uint16_t owner, uint16_t previous) {
    balancer_->SetSlot(PoolOf(GetParam()), ExpectedSlot(FlowHash(kKey, packet), kTableSize),
                       EK_SLOT(owner, previous));
  }
};

TEST_P(Quic, ConnectionsStayWithTheServerThatTheirIdNames) {
  for (uint16_t server = 1; server <= 4; ++server) {
    for (uint16_t port = 100; port < 112; ++port) {  // the client's address changes
      const Bytes id = ConnectionId(static_cast<uint16_t>(0x1000 + server));
      ExpectAt(All()[server - 1u], Datagram(Short(id), port));
      ExpectAt(All()[server - 1u], Datagram(Long(kHandshake, id), port));
    }
  }
}

TEST_P(Quic, TheHashChoosesWhereTheClientMayHaveMadeTheId) {
  for (uint16_t port = 100; port < 112; ++port) {
    ExpectByHash(Datagram(Long(kInitial, ConnectionId(0x1003)), port), true);
    ExpectByHash(Datagram(Long(kZeroRtt, ConnectionId(0x1003)), port));
  }
}

TEST_P(Quic, TheHashChoosesWhereTheIdNamesNobody) {
  ExpectByHash(Datagram(Short(ConnectionId(0x2001))));
  ExpectByHash(Datagram(Short(ConnectionId(0x1001, 5))));
  ExpectByHash(Datagram({0x40}));
  ExpectByHash(Datagram({0x40, 0x4a, 0x10, 0x01}));
}

TEST_P(Quic, TagsAndExtensionsDoNotHideTheId) {
  Packet packet = Datagram(Short(ConnectionId(0x1002)));
  packet.tags = {VlanTag(5)};
  ExpectAt(All()[1], packet);
  if (packet.is_ipv4()) {
    packet.ip_options = Bytes(12, 1);
  } else {
    packet.extensions = {{.type = 60}};
  }
  ExpectAt(All()[1], packet);
}

TEST_P(Quic, AServerWithoutAnEntryIsNotReached) {
  balancer_->SetLine(PoolOf(GetParam()), EK_BACKEND_LINE(kTableSize, 3), ek_line{});
  Packet packet = Datagram(Short(ConnectionId(0x1003)));
  while (BackendFor(All(), packet).counter == All()[2].counter) ++packet.sport;
  ExpectByHash(packet);
}

TEST_P(Quic, IdsCountAlsoWhileTheSlotMoves) {
  const Packet packet = Datagram(Short(ConnectionId(0x1004)));
  Move(packet, 1, 2);
  ExpectAt(All()[3], packet);
}

// Without ids a connection is told by its addresses, and Initial packets open it.
TEST_P(Quic, InitialPacketsOpenConnectionsInMovingSlots) {
  const Packet old_one = Datagram(Short(ConnectionId(0x2001)), 500);
  Move(old_one, 1, 2);
  ExpectAt(All()[1], old_one);
  const Packet initial = Datagram(Long(kInitial, Bytes(8, 3)), 500);
  ExpectAt(All()[0], initial, true);
  ExpectAt(All()[0], old_one);
}

// Only what opens connections counts, and what counts is of this VIP's flows.
TEST_P(Quic, NewFlowsAreLimitedByInitialPackets) {
  LimitNewFlows({.interval_ns = 4'000'000'000, .burst = 3});
  const Packet initial = Datagram(Long(kInitial, Bytes(8, 3)), 500);
  const Bytes id = ConnectionId(0x1002);
  for (int i = 0; i < 3; ++i) {
    ExpectByHash(initial, true);
    for (const Bytes& payload : {Short(id), Long(kHandshake, id)})
      ExpectAt(All()[1], Datagram(payload));
    ExpectByHash(Datagram(Long(kZeroRtt, Bytes(8, 3)), 500));
  }
  Packet other = Datagram(Long(kInitial, Bytes(8, 3)), 501);
  other.tags = {VlanTag(5)};
  for (const Packet& packet : {initial, other}) {
    ExpectVerdict(Build(packet), EK_DROP_NEW_FLOW_LIMIT, GetParam());
  }
  for (const Bytes& payload : {Short(id), Long(kHandshake, id)})
    ExpectAt(All()[1], Datagram(payload));
  ExpectByHash(Datagram({0x40}));
  ExpectByHash(Datagram({}));
}

TEST_P(Quic, FragmentsOpenWhatTheFirstOneShows) {
  LimitNewFlows({.interval_ns = 4'000'000'000, .burst = 1});
  Packet first = Datagram(Long(kInitial, Bytes(8, 3)), 500);
  first.fragment_field = 0x2000;
  if (!first.is_ipv4()) first.extensions = {ExtensionHeader::Fragment(1, 0xabcd)};
  ExpectByHash(first);
  ExpectVerdict(Build(first), EK_DROP_NEW_FLOW_LIMIT, GetParam());
}

TEST_P(Quic, NonsenseInTheTableIsNotFollowed) {
  ek_line head{};
  head.head.config_id = kConfig;
  head.head.id_len = 2;
  head.head.first = 1u << 30;
  head.head.mask = ~0u;
  balancer_->SetLine(PoolOf(GetParam()), EK_BACKEND_LINE(kTableSize, 0), head);
  ExpectByHash(Datagram(Short(ConnectionId(0x1001))));
}

INSTANTIATE_TEST_SUITE_P(All, Quic,
                         ::testing::Values(kVipUdp4, kVipUdp6, kVipUdp4in6, kVipUdpL2v4,
                                           kVipUdpL2v6),
                         [](const auto& test) { return "vip" + std::to_string(test.param); });

}  // namespace
}  // namespace evenkeel::testing
