// SPDX-License-Identifier: Apache-2.0
//
// The packet code as the host compiles it against the loaded program, on the same mutated bytes.
#include <netinet/in.h>

#include <cstring>

#include "tests/fuzz/packet/packet_host.h"
#include "tests/harness/packet/mutate.h"
#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr int kFrames = 20000;

Bytes Destination(const ek_packet& packet) {
  const auto* l3 = static_cast<const uint8_t*>(packet.l3);
  return packet.version == 4 ? Bytes(l3 + 16, l3 + 20) : Bytes(l3 + 24, l3 + 40);
}

uint8_t Ttl(const ek_packet& packet) {
  return static_cast<const uint8_t*>(packet.l3)[packet.version == 4 ? 8 : 7];
}

bool IsVipAddress(const ek_packet& packet) {
  for (const RawVip& vip : AllVips()) {
    if (AddressBytes(vip.address) == Destination(packet)) return true;
  }
  return false;
}

const RawVip* FindVip(const ek_packet& packet) {
  for (const uint16_t port : {ntohs(packet.dport), uint16_t{0}}) {
    for (const RawVip& vip : AllVips()) {
      if (AddressBytes(vip.address) == Destination(packet) && vip.proto == packet.proto &&
          vip.port == port) {
        return &vip;
      }
    }
  }
  return nullptr;
}

size_t OuterLength(const RawVip& vip) {
  switch (Backends(static_cast<Pool>(vip.table))[0].method) {
    case Method::kL2:
      return 0;
    case Method::kIpip4:
      return 20;
    case Method::kIpip6:
      break;
  }
  return 40;
}

ek_verdict HostIcmpVerdict(const ek_packet& packet, const Bytes& frame) {
  const ek_icmp* icmp = ek_get_icmp(&packet, const_cast<uint8_t*>(frame.data()) + frame.size());
  if (icmp == nullptr || !ek_is_echo_request(&packet, icmp) || (frame[0] & 1) != 0) {
    return EK_PASS_NO_VIP;
  }
  const bool whole = ek_frame_holds(&packet, static_cast<uint32_t>(frame.size()));
  return whole && IsVipAddress(packet) ? EK_REPLY_ECHO : EK_PASS_NO_VIP;
}

// The verdict in the world of world.h, from the host's parse.
ek_verdict HostVerdict(Bytes frame) {
  const HostParse parse = ParseOnHost(frame.data(), frame.size());
  switch (parse.verdict) {
    case EK_PASS_NO_VIP:
      return HostIcmpVerdict(parse.packet, frame);
    case EK_PASS_NOT_IP:
    case EK_PASS_UNREADABLE:
      return parse.verdict;
    case EK_DROP_FRAGMENT:
      return IsVipAddress(parse.packet) ? EK_DROP_FRAGMENT : EK_PASS_NO_VIP;
    case EK_FORWARD:
      break;
    default:
      return IsVipAddress(parse.packet) ? parse.verdict : EK_PASS_UNREADABLE;
  }
  const RawVip* vip = FindVip(parse.packet);
  if (vip == nullptr) return EK_PASS_NO_VIP;
  if (parse.packet.ip_len + OuterLength(*vip) > 1500) return EK_DROP_TOO_BIG;
  return Ttl(parse.packet) <= 1 ? EK_DROP_TTL : EK_FORWARD;
}

// The one verdict that moved; EK_VERDICT_COUNT if not exactly one did.
ek_verdict KernelVerdict(const CounterSet& before, const CounterSet& after) {
  Verdicts moved = after.verdicts;
  for (size_t i = 0; i < moved.size(); ++i) moved[i] -= before.verdicts[i];
  moved[EK_FORWARD] += after.TotalForwarded() - before.TotalForwarded();
  int verdict = EK_VERDICT_COUNT;
  for (int i = 0; i < EK_VERDICT_COUNT; ++i) {
    if (moved[i] == 0) continue;
    if (moved[i] != 1 || verdict != EK_VERDICT_COUNT) return EK_VERDICT_COUNT;
    verdict = i;
  }
  return static_cast<ek_verdict>(verdict);
}

TEST_F(World, HostAndKernelAgreeOnMutatedFrames) {
  std::mt19937 random(20260101);
  const std::vector<Packet> seeds = SeedPackets();
  std::array<int, EK_VERDICT_COUNT> seen{};
  CounterSet before = balancer_->ReadCounters();
  for (int i = 0; i < kFrames; ++i) {
    const Bytes frame = Mutate(Build(seeds[random() % seeds.size()]), random);
    if (frame.size() < kMinRunLength) continue;
    const RunResult result = balancer_->Run(frame);
    ASSERT_EQ(result.error, 0);
    const CounterSet after = balancer_->ReadCounters();
    const ek_verdict verdict = KernelVerdict(before, after);
    ASSERT_NE(verdict, EK_VERDICT_COUNT) << "not counted exactly once: " << Describe(frame);
    ASSERT_EQ(verdict, HostVerdict(frame)) << Describe(frame);
    if (result.action == XDP_PASS) {
      ASSERT_EQ(result.frame, frame);
    }
    ++seen[verdict];
    before = after;
  }
  // The mutations reach every verdict that a parser can give.
  for (int verdict = EK_FORWARD; verdict <= EK_DROP_TTL; ++verdict) {
    EXPECT_GT(seen[verdict], 0) << "verdict " << verdict << " was never reached";
  }
}

// Frames that a test run refuses.
TEST(HostParser, FramesBelowAnEthernetHeader) {
  Bytes frame = Build({});
  for (size_t length = 0; length < kMinRunLength; ++length) {
    EXPECT_EQ(ParseOnHost(frame.data(), length).verdict, EK_PASS_NOT_IP) << length;
  }
}

}  // namespace
}  // namespace evenkeel::testing
