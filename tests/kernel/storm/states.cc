// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/storm/states.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "control/dataplane/dataplane.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

constexpr uint32_t kManySlots = 2003;
constexpr uint32_t kSingleSlots = 251;
constexpr const char* kPoolNames[STORM_KINDS] = {"first", "many", "many", "last"};

std::string AddressOf(storm_kind kind, uint32_t number) {
  if (kind == STORM_LAST) return absl::StrCat("fd00::", absl::Hex(number));
  return absl::StrCat(kind == STORM_FIRST ? "10.1." : "10.3.", number / 250, ".", number % 250 + 1);
}

model::Pool Single(storm_kind kind, uint32_t n) {
  model::Pool pool;
  pool.name = kPoolNames[kind];
  pool.table_size = kSingleSlots;
  pool.policy.single_backend = {.reason = "its address is the generation", .owner = "tests"};
  model::Backend backend;
  backend.name = absl::StrCat(pool.name, "-only");
  backend.address = Ip(AddressOf(kind, n));
  pool.backends = {backend};
  return pool;
}

model::Pool Many(uint32_t n) {
  model::Pool pool;
  pool.name = kPoolNames[STORM_STATELESS];
  pool.table_size = kManySlots;
  for (uint32_t number = n + 1 - kStormMembers; number <= n; ++number) {
    model::Backend backend;
    backend.name = absl::StrCat("many-", number % kStormMembers);
    backend.address = Ip(AddressOf(STORM_STATELESS, number));
    pool.backends.push_back(backend);
  }
  // Each name in its place, whatever the state.
  std::sort(pool.backends.begin(), pool.backends.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return pool;
}

uint32_t NumberOf(const model::IpAddress& address) {
  const auto& bytes = address.bytes();
  return bytes[2] * 250u + bytes[3] - 1;
}

}  // namespace

model::Config StormState(uint32_t n) {
  model::Config config;
  config.pools = {Single(STORM_FIRST, n), Many(n), Single(STORM_LAST, n)};
  config.vips = {MakeVip("first", "192.0.2.1", 443, "first"),
                 MakeVip("stateless", "192.0.2.2", 53, "many", model::Protocol::kUdp),
                 MakeVip("established", "192.0.2.2", 443, "many"),
                 MakeVip("last", "2001:db8::1", 443, "last")};
  return config;
}

Packet StormPacket(storm_kind kind, uint32_t flow) {
  Packet packet;  // TCP with ACK
  packet.src = kind == STORM_LAST ? "2001:db8:ffff::7" : "198.51.100.7";
  packet.dst = kind == STORM_LAST ? "2001:db8::1" : kind == STORM_FIRST ? "192.0.2.1" : "192.0.2.2";
  if (kind == STORM_STATELESS) {
    packet.proto = kUdp;
    packet.dport = 53;
  }
  packet.sport = static_cast<uint16_t>(1024 + 251 * flow);
  packet.payload = 0;
  packet.payload = STORM_FRAME - Build(packet).size();
  return packet;
}

uint64_t StormHash(const Packet& packet) {
  return FlowHash(dataplane::HashKeyWords(kTestKey), packet);
}

Backend StormBackend(storm_kind kind, uint32_t number) {
  Backend backend;
  backend.method = kind == STORM_LAST ? Method::kIpip6 : Method::kIpip4;
  backend.address = AddressOf(kind, number);
  if (kind == STORM_LAST) backend.source = "100::";
  const Bytes address = AddressBytes(backend.address);
  backend.hop.dmac = {0x02, 0xbb};
  std::copy(address.end() - 4, address.end(), backend.hop.dmac.begin() + 2);
  backend.hop.smac = {0x02, 0xaa, 0, 0, 0, 1};
  return backend;
}

const StormOwners& StormOracle::Next(const guard::BuiltFleet& fleet, uint32_t n) {
  const auto pool = std::find_if(fleet.pools.begin(), fleet.pools.end(), [](const auto& p) {
    return p->name() == kPoolNames[STORM_STATELESS];
  });
  const guard::BuiltTable& table = *(*pool)->table;
  const auto owner = [&](storm_kind kind, uint32_t flow) {
    const uint32_t slot = ExpectedSlot(StormHash(StormPacket(kind, flow)), table.size);
    return NumberOf(table.servers[table.owner[slot]]);
  };
  for (uint32_t flow = 0; flow < STORM_FLOWS; ++flow) {
    storm_owner& now = owners_[flow];
    now.stateless = owner(STORM_STATELESS, flow);
    if (now.established + kStormMembers <= n) now.established = owner(STORM_ESTABLISHED, flow);
  }
  return owners_;
}

}  // namespace evenkeel::testing
