// SPDX-License-Identifier: Apache-2.0
//
// The packet code as the host compiles it against the loaded program, on the same mutated bytes.
#include <netinet/in.h>

#include <chrono>
#include <cstring>
#include <map>

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
  return testing::OuterLength(Backends(static_cast<Pool>(vip.table))[0].method);
}

// The pipeline in the world of world.h with the host's parser, and a map in place of ek_frags.
class HostPipeline {
 public:
  ek_verdict Verdict(Bytes frame) {
    certain_ = true;
    HostParse parse = ParseOnHost(frame.data(), frame.size());
    ek_verdict verdict = parse.verdict;
    if (verdict == EK_PASS_NO_VIP) verdict = Icmp(parse.packet, frame);
    if (verdict == EK_DROP_FRAGMENT) return Fragment(parse.packet, frame);
    if (verdict == EK_FORWARD) return Deliver(parse.packet);
    if (verdict < EK_DROP_L3_TRUNCATED) return verdict;
    return IsVipAddress(parse.packet) ? verdict : EK_PASS_UNREADABLE;
  }

  // Of the last verdict: false where it depends on how much time has passed.
  bool certain() const { return certain_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Ports {
    __be16 sport, dport;
    uint8_t proto;
    Clock::time_point at;
  };

  static bool Holds(const ek_packet& packet, const Bytes& frame) {
    return ek_frame_holds(&packet, static_cast<uint32_t>(frame.size())) != 0;
  }

  static ek_verdict Deliver(const ek_packet& packet) {
    const RawVip* vip = FindVip(packet);
    if (vip == nullptr) return EK_PASS_NO_VIP;
    if (packet.ip_len + OuterLength(*vip) > 1500) return EK_DROP_TOO_BIG;
    return Ttl(packet) <= 1 ? EK_DROP_TTL : EK_FORWARD;
  }

  static ek_verdict Icmp(ek_packet& packet, Bytes& frame) {
    uint8_t* end = frame.data() + frame.size();
    const ek_icmp* icmp = ek_get_icmp(&packet, end);
    if (icmp == nullptr || !Holds(packet, frame)) return EK_PASS_NO_VIP;
    if (ek_is_icmp_error(&packet, icmp)) return ek_parse_quoted(&packet, end);
    if (!ek_is_echo_request(&packet, icmp) || (frame[0] & 1) != 0) return EK_PASS_NO_VIP;
    return IsVipAddress(packet) ? EK_REPLY_ECHO : EK_PASS_NO_VIP;
  }

  ek_verdict Fragment(ek_packet& packet, Bytes& frame) {
    if (!IsVipAddress(packet)) return EK_PASS_NO_VIP;
    if (!Holds(packet, frame)) return EK_DROP_L3_LENGTH;
    const Bytes key = Key(packet);
    if (packet.fragment == EK_FRAGMENT_FIRST) {
      const ek_verdict verdict = ek_parse_first_fragment(&packet, frame.data() + frame.size());
      if (verdict != EK_FORWARD) return verdict;
      seen_[key] = {packet.sport, packet.dport, packet.proto, Clock::now()};
      return Deliver(packet);
    }
    const auto first = seen_.find(key);
    if (first == seen_.end()) return EK_DROP_FRAGMENT;
    // The kernel forgets it some time; on a slow machine it is not certain that it has not.
    certain_ = Clock::now() - first->second.at < std::chrono::nanoseconds(EK_FRAG_LIFETIME_NS) / 2;
    packet.sport = first->second.sport;
    packet.dport = first->second.dport;
    packet.proto = first->second.proto;
    return Deliver(packet);
  }

  static Bytes Key(const ek_packet& packet) {
    const auto* l3 = static_cast<const uint8_t*>(packet.l3);
    const bool v4 = packet.version == 4;
    Bytes key(l3 + (v4 ? 12 : 8), l3 + (v4 ? 20 : 40));
    key.push_back(v4 ? packet.proto : uint8_t{0});
    for (int shift = 0; shift < 32; shift += 8) {
      key.push_back(static_cast<uint8_t>(packet.frag_id >> shift));
    }
    return key;
  }

  std::map<Bytes, Ports> seen_;
  bool certain_ = true;
};

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
  HostPipeline host;
  CounterSet before = balancer_->ReadCounters();
  for (int i = 0; i < kFrames; ++i) {
    const Bytes frame = Mutate(Build(seeds[random() % seeds.size()]), random);
    if (frame.size() < kMinRunLength) continue;
    const RunResult result = balancer_->Run(frame);
    ASSERT_EQ(result.error, 0);
    const CounterSet after = balancer_->ReadCounters();
    const ek_verdict verdict = KernelVerdict(before, after);
    ASSERT_NE(verdict, EK_VERDICT_COUNT) << "not counted exactly once: " << Describe(frame);
    const ek_verdict expected = host.Verdict(frame);
    if (host.certain()) {
      ASSERT_EQ(verdict, expected) << Describe(frame);
    }
    if (result.action == XDP_PASS) {
      ASSERT_EQ(result.frame, frame);
    }
    ++seen[verdict];
    before = after;
  }
  // The mutations reach every verdict that a parser can give.
  for (int verdict = EK_FORWARD; verdict <= EK_DROP_TTL; ++verdict) {
    if (verdict == EK_REPLY_TOO_BIG) continue;     // no seed is that large
    if (verdict == EK_FORWARD_FRAGMENT) continue;  // no VIP of this world says so
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
