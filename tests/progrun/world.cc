// SPDX-License-Identifier: Apache-2.0
#include "tests/progrun/world.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace evenkeel::testing {
namespace {

constexpr std::array<const char*, EK_VERDICT_COUNT> kVerdictNames = {
#define EK_VERDICT_NAME(sym, name, text) name,
    EK_VERDICT_LIST(EK_VERDICT_NAME)
#undef EK_VERDICT_NAME
};

struct VipRow {
  const char* address;
  uint16_t port;
  uint8_t proto;
  Pool pool;
};

// In the order of VipId.
constexpr VipRow kVips[] = {
    {"192.0.2.10", 443, kTcp, kPoolIpip4},   {"192.0.2.10", 53, kUdp, kPoolIpip4},
    {"192.0.2.20", 443, kTcp, kPoolIpip6},   {"192.0.2.30", 443, kTcp, kPoolL2v4},
    {"192.0.2.40", 0, kTcp, kPoolIpip4},     {"192.0.2.40", 443, kTcp, kPoolIpip6},
    {"2001:db8::10", 443, kTcp, kPoolIpip6}, {"2001:db8::10", 53, kUdp, kPoolIpip6},
    {"2001:db8::30", 443, kTcp, kPoolL2v6},  {"2001:db8::40", 0, kTcp, kPoolIpip6},
    {"192.0.2.30", 53, kUdp, kPoolL2v4},     {"2001:db8::30", 53, kUdp, kPoolL2v6},
    {"192.0.2.20", 53, kUdp, kPoolIpip6},
};

Method MethodOf(Pool pool) {
  if (pool == kPoolL2v4 || pool == kPoolL2v6) return Method::kL2;
  return pool == kPoolIpip6 ? Method::kIpip6 : Method::kIpip4;
}

size_t IpLength(const Bytes& frame) {
  const size_t ip = LinkLength(frame);
  return EtherType(frame) == 0x0800 ? Get16(frame, ip + 2) : size_t{40} + Get16(frame, ip + 4);
}

// `after` minus `before`, as one line per counter that moved.
std::vector<std::string> Moved(const CounterSet& before, const CounterSet& after) {
  std::vector<std::string> moved;
  const auto add = [&](const std::string& name, uint64_t from, uint64_t to) {
    if (from != to) moved.push_back(name + " +" + std::to_string(to - from));
  };
  const auto add_all = [&](const std::string& kind, const std::vector<ek_counter>& from,
                           const std::vector<ek_counter>& to) {
    for (size_t id = 0; id < from.size(); ++id) {
      const std::string name = kind + std::to_string(id);
      add(name + " packets", from[id].packets, to[id].packets);
      add(name + " bytes", from[id].bytes, to[id].bytes);
      add(name + " new_flows", from[id].new_flows, to[id].new_flows);
      add(name + " drops", from[id].drops, to[id].drops);
    }
  };
  add_all("vip", before.vips, after.vips);
  add_all("backend", before.backends, after.backends);
  for (size_t i = 0; i < EK_VERDICT_COUNT; ++i) {
    add(kVerdictNames[i], before.verdicts[i], after.verdicts[i]);
  }
  return moved;
}

std::vector<std::string> ForwardMoves(VipId vip, const Backend& backend, size_t bytes,
                                      bool new_flow) {
  std::vector<std::string> moves;
  for (const std::string& name :
       {"vip" + std::to_string(vip), "backend" + std::to_string(backend.counter)}) {
    moves.push_back(name + " packets +1");
    moves.push_back(name + " bytes +" + std::to_string(bytes));
    if (new_flow) moves.push_back(name + " new_flows +1");
  }
  return moves;
}

Bytes Snapped(const Bytes& frame) {
  return {frame.begin(), frame.begin() + std::min<size_t>(frame.size(), EK_CAPTURE_MAX_SNAP)};
}

}  // namespace

std::string Describe(const Bytes& frame) {
  std::string text;
  for (size_t i = 0; i < frame.size() && i < 160; ++i) {
    char byte[4];
    std::snprintf(byte, sizeof(byte), "%02x%s", frame[i], i % 4 == 3 ? " " : "");
    text += byte;
  }
  return text + " (" + std::to_string(frame.size()) + " bytes)";
}

Pool PoolOf(VipId id) { return kVips[id].pool; }

const std::vector<RawVip>& AllVips() {
  static const std::vector<RawVip> vips = [] {
    std::vector<RawVip> list;
    for (uint32_t id = 0; id < std::size(kVips); ++id) {
      const VipRow& row = kVips[id];
      list.push_back({row.address, row.port, row.proto, row.pool, kTableSize, id});
    }
    return list;
  }();
  return vips;
}

std::vector<Backend> Backends(Pool pool) {
  std::vector<Backend> backends;
  const bool v6 = pool == kPoolIpip6 || pool == kPoolL2v6;
  for (uint8_t i = 1; i <= 4; ++i) {
    Backend backend;
    backend.method = MethodOf(pool);
    backend.address = (v6 ? "fd00:1::" : "10.0.1.") + std::to_string(i);
    backend.source = v6 ? "fd00:ffff:1:2::" : "172.16.0.0";
    backend.hop.dmac = {0x02, 0, 0, static_cast<uint8_t>(pool), 1, i};
    backend.hop.smac = {0x02, 0, 0, static_cast<uint8_t>(pool), 2, i};
    backend.hop.ifindex = i == 4 ? kEgressIfindex : kIngressIfindex;
    backend.counter = pool * 10 + i;
    backends.push_back(backend);
  }
  return backends;
}

std::vector<uint32_t> RoundRobin(uint32_t size, uint32_t backends) {
  std::vector<uint32_t> slots(size);
  for (uint32_t slot = 0; slot < size; ++slot) slots[slot] = EK_SLOT(slot % backends + 1, 0);
  return slots;
}

void World::SetUp() {
  EK_NEED_KERNEL();
  balancer_.emplace(kKey);
  for (const Pool pool : {kPoolIpip4, kPoolIpip6, kPoolL2v4, kPoolL2v6}) {
    balancer_->PutTable(pool, RoundRobin(kTableSize, 4), Backends(pool));
  }
  balancer_->Activate(balancer_->PutGeneration(0, AllVips()));
}

Backend World::BackendFor(const std::vector<Backend>& backends, const Packet& packet) {
  const uint32_t slot = ExpectedSlot(FlowHash(kKey, packet), kTableSize);
  return backends[slot % backends.size()];
}

void World::ExpectForwarded(const Packet& packet, VipId vip) {
  ExpectForwarded(packet, Build(packet), vip, Backends(PoolOf(vip)));
}

void World::ExpectForwarded(const Packet& packet, const Bytes& frame, VipId vip,
                            const std::vector<Backend>& backends) {
  ExpectForwardedTo(BackendFor(backends, packet), packet, frame, vip);
}

void World::ExpectForwardedTo(const Backend& backend, const Packet& packet, const Bytes& frame,
                              VipId vip) {
  const bool new_flow = packet.proto == kTcp && (packet.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
  ExpectForwardedAs({.backend = backend, .hash = FlowHash(kKey, packet), .new_flow = new_flow},
                    frame, vip);
}

void World::ExpectForwardedAs(const Forwarded& as, const Bytes& frame, VipId vip) {
  const Backend& backend = as.backend;
  const Bytes expected = ExpectedFrame(frame, backend, as.hash);
  std::vector<std::string> moves = ForwardMoves(vip, backend, IpLength(frame), as.new_flow);
  if (as.orphan) moves.push_back(std::string(kVerdictNames[EK_FORWARD_FRAGMENT]) + " +1");

  if (balancer_->capture() != nullptr) balancer_->capture()->Take();
  const CounterSet before = balancer_->ReadCounters();
  const RunResult result = balancer_->Run(frame);
  const CounterSet after = balancer_->ReadCounters();

  ASSERT_EQ(result.error, 0) << std::strerror(result.error);
  EXPECT_EQ(result.action, backend.hop.ifindex == kIngressIfindex ? XDP_TX : XDP_REDIRECT);
  EXPECT_EQ(Describe(result.frame), Describe(expected));
  EXPECT_EQ(result.frame, expected);
  EXPECT_EQ(Moved(before, after), moves);
  ExpectNoted(frame, expected, EK_FORWARD);
  if (!noted_.empty()) {
    EXPECT_EQ(noted_[0].note.vip, vip);
    EXPECT_EQ(noted_[0].note.backend, backend.counter);
    EXPECT_EQ(noted_[0].note.egress, backend.hop.ifindex);
  }
}

void World::ExpectVerdict(const Bytes& frame, ek_verdict verdict,
                          std::optional<VipId> dropped_for) {
  const bool passed = std::string_view(kVerdictNames[verdict]).starts_with("pass_");
  ExpectOutcome(frame, passed ? XDP_PASS : XDP_DROP, frame, verdict, dropped_for);
}

void World::ExpectReply(const Bytes& frame, const Bytes& reply, ek_verdict verdict,
                        std::optional<VipId> dropped_for) {
  ExpectOutcome(frame, XDP_TX, reply, verdict, dropped_for);
}

void World::ExpectOutcome(const Bytes& frame, uint32_t action, const Bytes& out, ek_verdict verdict,
                          std::optional<VipId> dropped_for) {
  std::vector<std::string> moves;
  if (dropped_for) moves.push_back("vip" + std::to_string(*dropped_for) + " drops +1");
  moves.push_back(std::string(kVerdictNames[verdict]) + " +1");

  if (balancer_->capture() != nullptr) balancer_->capture()->Take();
  const CounterSet before = balancer_->ReadCounters();
  const RunResult result = balancer_->Run(frame);
  const CounterSet after = balancer_->ReadCounters();

  ASSERT_EQ(result.error, 0) << std::strerror(result.error);
  EXPECT_EQ(result.action, action);
  EXPECT_EQ(Describe(result.frame), Describe(out));
  EXPECT_EQ(result.frame, out);
  EXPECT_EQ(Moved(before, after), moves);
  ExpectNoted(frame, action == XDP_TX ? out : Bytes{}, verdict);
}

void World::ExpectNoted(const Bytes& frame, const Bytes& out, ek_verdict verdict) {
  if (balancer_->capture() == nullptr) return;
  noted_ = balancer_->capture()->Take();
  ASSERT_EQ(noted_.size(), 1u) << "packets in the capture's ring";
  const Captured& noted = noted_[0];
  EXPECT_EQ(kVerdictNames[noted.note.verdict], std::string_view(kVerdictNames[verdict]));
  EXPECT_EQ(Describe(noted.in), Describe(Snapped(frame)));
  EXPECT_EQ(noted.in, Snapped(frame));
  EXPECT_EQ(noted.note.length_in, frame.size());
  EXPECT_EQ(Describe(noted.out), Describe(Snapped(out)));
  EXPECT_EQ(noted.out, Snapped(out));
  EXPECT_EQ(noted.note.length_out, out.size());
  EXPECT_EQ(noted.note.ingress, kIngressIfindex);
}

}  // namespace evenkeel::testing
