// SPDX-License-Identifier: Apache-2.0
//
// Echo requests to a VIP's address: answered in place, every byte and checksum from scratch.
#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

constexpr char kClient4[] = "198.51.100.7";
constexpr char kClient6[] = "2001:db8:ffff::7";
constexpr char kVip4[] = "192.0.2.10";
constexpr char kVip6[] = "2001:db8::10";

Packet Echo4(size_t size = 56) { return EchoRequest(kClient4, kVip4, size); }
Packet Echo6(size_t size = 56) { return EchoRequest(kClient6, kVip6, size); }

// What the client must get. A checksum of 0 is written as 0xffff in ICMP, which is the same there.
Bytes ReplyTo(Packet packet) {
  std::swap(packet.src, packet.dst);
  packet.ttl = 64;
  packet.icmp[0] = packet.is_ipv4() ? 0 : 129;
  Bytes frame = WithSwappedMacs(Build(packet));
  const size_t check = TransportOffset(packet) + 2;
  if (packet.is_ipv4() && Get16(frame, check) == 0) Put16(frame, check, 0xffff);
  return frame;
}

class Echo : public World {
 protected:
  void ExpectAnswered(const Packet& packet) {
    ExpectReply(Build(packet), ReplyTo(packet), EK_REPLY_ECHO);
  }
  void ExpectLeftToTheHost(const Packet& packet) { ExpectVerdict(Build(packet), EK_PASS_NO_VIP); }
};

TEST_F(Echo, OfEveryLength) {
  for (size_t size = 0; size < 70; ++size) {
    SCOPED_TRACE(size);
    ExpectAnswered(Echo4(size));
    ExpectAnswered(Echo6(size));
  }
}

TEST_F(Echo, LargerThanOneBuffer) {
  ExpectAnswered(Echo4(8001));
  ExpectAnswered(Echo6(8001));
}

TEST_F(Echo, OfEverySequenceNumberAtTheWrap) {
  for (uint32_t sequence = 0xf500; sequence < 0x10900; sequence += 0x3f) {
    for (Packet packet : {Echo4(0), Echo6(0)}) {
      Put32(packet.icmp, 4, sequence);
      ExpectAnswered(packet);
    }
  }
  Packet zeros = Echo4(0);
  Put32(zeros.icmp, 4, 0);
  ExpectAnswered(zeros);
}

TEST_F(Echo, WhateverTheHopsLeft) {
  for (const uint8_t ttl : {0, 1, 63, 64, 65, 128, 255}) {
    for (Packet packet : {Echo4(), Echo6()}) {
      packet.ttl = ttl;
      ExpectAnswered(packet);
    }
  }
}

TEST_F(Echo, KeepsTagsPaddingAndTrafficClass) {
  for (Packet packet : {Echo4(1), Echo6(1)}) {
    packet.tos = 0xb8;
    packet.padding = 17;
    ExpectAnswered(packet);
    packet.tags = {VlanTag(100)};
    ExpectAnswered(packet);
    packet.tags = {ServiceTag(7), VlanTag(100)};
    ExpectAnswered(packet);
  }
}

TEST_F(Echo, OnEveryAddressOfAVipAndNoOther) {
  for (const char* address : {"192.0.2.20", "192.0.2.40"}) {
    ExpectAnswered(EchoRequest(kClient4, address, 8));
  }
  ExpectAnswered(EchoRequest(kClient6, "2001:db8::40", 8));
  ExpectLeftToTheHost(EchoRequest(kClient4, "192.0.2.11", 8));
  ExpectLeftToTheHost(EchoRequest(kClient6, "2001:db8::11", 8));
}

TEST_F(Echo, NotBeforeAnythingIsPublished) {
  balancer_->Activate(EK_ACTIVE_NONE);
  ExpectLeftToTheHost(Echo4());
  ExpectLeftToTheHost(Echo6());
}

// Neighbour discovery, errors without a flow, replies to the host's own requests.
TEST_F(Echo, OtherMessagesAreTheHosts) {
  for (int type = 0; type < 256; ++type) {
    for (Packet packet : {Echo4(), Echo6()}) {
      if (type == packet.icmp[0]) continue;
      packet.icmp[0] = static_cast<uint8_t>(type);
      SCOPED_TRACE(type);
      ExpectLeftToTheHost(packet);
    }
  }
}

TEST_F(Echo, WithACodeIsTheHosts) {
  for (Packet packet : {Echo4(), Echo6()}) {
    packet.icmp[1] = 1;
    ExpectLeftToTheHost(packet);
  }
}

TEST_F(Echo, OfTheOtherFamilyIsTheHosts) {
  Packet six = Echo6(), four = Echo4();
  six.proto = kIcmp;
  four.proto = kIcmpv6;
  ExpectLeftToTheHost(six);
  ExpectLeftToTheHost(four);
}

TEST_F(Echo, WithOptionsIsTheHosts) {
  Packet four = Echo4(), six = Echo6();
  four.ip_options = Bytes(4, 1);
  six.extensions = {{0, Bytes(6)}};
  ExpectLeftToTheHost(four);
  ExpectLeftToTheHost(six);
}

TEST_F(Echo, FragmentsAreTheHosts) {
  for (const uint16_t field : {0x2000, 0x0002}) {
    Packet packet = Echo4();
    packet.fragment_field = field;
    ExpectLeftToTheHost(packet);
  }
  Packet packet = Echo6();
  packet.extensions = {ExtensionHeader::Fragment(1)};
  ExpectLeftToTheHost(packet);
}

TEST_F(Echo, FromNobodyIsTheHosts) {
  for (const char* nobody :
       {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "0.1.2.3"}) {
    ExpectLeftToTheHost(EchoRequest(nobody, kVip4, 8));
  }
  for (const char* nobody : {"::", "::1", "ff02::1"}) {
    ExpectLeftToTheHost(EchoRequest(nobody, kVip6, 8));
  }
}

TEST_F(Echo, ToAGroupOfHostsIsTheHosts) {
  Bytes frame = Build(Echo4());
  std::fill_n(frame.begin(), 6, uint8_t{0xff});
  ExpectVerdict(frame, EK_PASS_NO_VIP);
}

TEST_F(Echo, CutShortIsTheHosts) {
  for (const Packet& packet : {Echo4(), Echo6()}) {
    const Bytes whole = Build(packet);
    const size_t addressed = kEthernetLength + (packet.is_ipv4() ? 20 : 40);
    for (size_t length = addressed; length < whole.size(); ++length) {
      ExpectVerdict(Bytes(whole.begin(), whole.begin() + static_cast<long>(length)),
                    EK_PASS_NO_VIP);
    }
  }
}

TEST_F(Echo, VerifyAnswersFromTheStagedGeneration) {
  balancer_->Activate(EK_ACTIVE_NONE);
  balancer_->Stage(balancer_->PutGeneration(1, AllVips()));
  const RunResult result = balancer_->Verify(Build(Echo4()));
  EXPECT_EQ(result.action, XDP_TX);
  EXPECT_EQ(result.frame, ReplyTo(Echo4()));
}

}  // namespace
}  // namespace evenkeel::testing
