// SPDX-License-Identifier: Apache-2.0
//
// Packets above the path MTU: who is told, and every byte of what.
#include <sched.h>

#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr uint16_t kDontFragment = 0x4000;

Packet Large(const char* vip, size_t ip_length) {
  Packet packet;
  packet.dst = vip;
  packet.fragment_field = kDontFragment;
  if (!packet.is_ipv4()) packet.src = "2001:db8:ffff::7";
  packet.payload = ip_length - (packet.is_ipv4() ? 40 : 60);
  return packet;
}

// What the client must get: from the VIP, with the first `quote` bytes of its packet.
Bytes TooBig(const Packet& packet, uint32_t mtu, size_t quote) {
  const Bytes frame = Build(packet);
  Packet reply;
  reply.src = packet.dst;
  reply.dst = packet.src;
  reply.tags = packet.tags;
  reply.proto = packet.is_ipv4() ? kIcmp : kIcmpv6;
  reply.tos = packet.is_ipv4() ? 0xc0 : 0;
  reply.fragment_field = kDontFragment;
  reply.icmp = IcmpMessage(packet.is_ipv4() ? 3 : 2, packet.is_ipv4() ? 4 : 0, mtu,
                           std::span(frame).subspan(LinkLength(frame), quote));
  Bytes bytes = WithSwappedMacs(Build(reply));
  const size_t ip = LinkLength(bytes);
  if (packet.is_ipv4()) {
    Put16(bytes, ip + 4, 0);  // identification
    FixIpv4Checksum(bytes, ip);
  } else {
    Put32(bytes, ip, 0x60000000);  // no flow label
  }
  return bytes;
}

class TooBigAnswer : public World {
 protected:
  void ExpectTold(const Packet& packet, VipId vip, uint32_t mtu, size_t quote) {
    ExpectReply(Build(packet), TooBig(packet, mtu, quote), EK_REPLY_TOO_BIG, vip);
  }
  void ExpectNotTold(const Packet& packet, VipId vip) {
    ExpectVerdict(Build(packet), EK_DROP_TOO_BIG, vip);
  }
  void SetMtu(Pool pool, uint16_t mtu) {
    std::vector<Backend> backends = Backends(pool);
    for (Backend& backend : backends) backend.mtu = mtu;
    balancer_->PutTable(pool, RoundRobin(kTableSize, 4), backends);
  }
};

TEST_F(TooBigAnswer, HasThePathMtuWithoutTheOuterHeader) {
  ExpectTold(Large("192.0.2.10", 1481), kVipTcp4, 1480, 548);
  ExpectTold(Large("192.0.2.20", 1461), kVip4in6, 1460, 548);
  ExpectTold(Large("192.0.2.30", 1501), kVipL2v4, 1500, 548);
  ExpectTold(Large("2001:db8::10", 1461), kVipTcp6, 1460, 1232);
  ExpectTold(Large("2001:db8::30", 1501), kVipL2v6, 1500, 1232);
}

TEST_F(TooBigAnswer, ToWhatJustFitsIsNone) {
  ExpectForwarded(Large("192.0.2.10", 1480), kVipTcp4);
  ExpectForwarded(Large("2001:db8::10", 1460), kVipTcp6);
}

TEST_F(TooBigAnswer, ToPacketsOfEveryLength) {
  for (size_t length = 1481; length < 1520; ++length) {
    ExpectTold(Large("192.0.2.10", length), kVipTcp4, 1480, 548);
    ExpectTold(Large("2001:db8::10", length), kVipTcp6, 1460, 1232);
  }
}

TEST_F(TooBigAnswer, ToFramesOfSeveralBuffers) {
  for (const size_t length : {4096u, 8000u, 9000u}) {
    ExpectTold(Large("192.0.2.10", length), kVipTcp4, 1480, 548);
    ExpectTold(Large("2001:db8::10", length), kVipTcp6, 1460, 1232);
  }
}

TEST_F(TooBigAnswer, InTheVlanThatThePacketWasIn) {
  for (const auto& tags : {std::vector{VlanTag(100)}, {ServiceTag(7), VlanTag(100)}}) {
    for (Packet packet : {Large("192.0.2.10", 1500), Large("2001:db8::10", 1500)}) {
      packet.tags = tags;
      packet.padding = 11;
      if (packet.is_ipv4()) {
        ExpectTold(packet, kVipTcp4, 1480, 548);
      } else {
        ExpectTold(packet, kVipTcp6, 1460, 1232);
      }
    }
  }
}

TEST_F(TooBigAnswer, QuotesOptionsAndExtensionHeaders) {
  Packet four = Large("192.0.2.10", 1500), six = Large("2001:db8::10", 1500);
  four.ip_options = Bytes(40, 1);
  six.extensions = {{0, Bytes(6)}, {60, Bytes(62)}};
  ExpectTold(four, kVipTcp4, 1480, 548);
  ExpectTold(six, kVipTcp6, 1460, 1232);
}

TEST_F(TooBigAnswer, QuotesLessOfASmallPacket) {
  SetMtu(kPoolIpip4, 120);
  ExpectNotTold(Large("192.0.2.10", 127), kVipTcp4);
  for (const size_t length : {128u, 129u, 547u}) {
    ExpectTold(Large("192.0.2.10", length), kVipTcp4, 100, 128);
  }
  ExpectTold(Large("192.0.2.10", 548), kVipTcp4, 100, 548);
}

TEST_F(TooBigAnswer, NeedsDontFragment) {
  Packet packet = Large("192.0.2.10", 1500);
  packet.fragment_field = 0;
  ExpectNotTold(packet, kVipTcp4);
}

// Below the least MTU of IPv6 there is nothing that the client could do.
TEST_F(TooBigAnswer, NotBelowTheLeastMtuOfIpv6) {
  SetMtu(kPoolIpip6, 1320);
  ExpectTold(Large("2001:db8::10", 1400), kVipTcp6, 1280, 1232);
  SetMtu(kPoolIpip6, 1319);
  ExpectNotTold(Large("2001:db8::10", 1400), kVipTcp6);
  ExpectTold(Large("192.0.2.20", 1400), kVip4in6, 1279, 548);
}

TEST_F(TooBigAnswer, NotToNobody) {
  for (const char* nobody : {"0.0.0.0", "127.0.0.1", "224.0.0.1"}) {
    Packet packet = Large("192.0.2.10", 1500);
    packet.src = nobody;
    ExpectNotTold(packet, kVipTcp4);
  }
  for (const char* nobody : {"::", "::1", "ff02::1"}) {
    Packet packet = Large("2001:db8::10", 1500);
    packet.src = nobody;
    ExpectNotTold(packet, kVipTcp6);
  }
}

// One CPU's bucket: test runs stay on the CPU of their thread.
class TooBigRate : public ::testing::Test {
 protected:
  void SetUp() override {
    EK_NEED_KERNEL();
    ASSERT_EQ(sched_getaffinity(0, sizeof(before_), &before_), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  }
  void TearDown() override { sched_setaffinity(0, sizeof(before_), &before_); }

  // Of 100 packets, one after the other.
  static uint64_t Answers(uint32_t rate, uint32_t burst) {
    RawBalancer balancer(kKey, {.too_big_rate = rate, .too_big_burst = burst});
    balancer.PutTable(kPoolIpip4, RoundRobin(kTableSize, 4), Backends(kPoolIpip4));
    balancer.Activate(balancer.PutGeneration(0, {AllVips()[kVipTcp4]}));
    for (int i = 0; i < 100; ++i) balancer.Run(Build(Large("192.0.2.10", 1500)));
    const CounterSet counters = balancer.ReadCounters();
    EXPECT_EQ(counters.verdicts[EK_REPLY_TOO_BIG] + counters.verdicts[EK_DROP_TOO_BIG], 100u);
    EXPECT_EQ(counters.vips[kVipTcp4].drops, 100u);
    return counters.verdicts[EK_REPLY_TOO_BIG];
  }

 private:
  cpu_set_t before_;
};

TEST_F(TooBigRate, EndsAfterTheBurst) { EXPECT_EQ(Answers(1, 7), 7u); }
TEST_F(TooBigRate, OfZeroIsSilence) { EXPECT_EQ(Answers(0, 7), 0u); }
TEST_F(TooBigRate, AboveTheTrafficAnswersAll) { EXPECT_EQ(Answers(1000000000, 1000), 100u); }

}  // namespace
}  // namespace evenkeel::testing
