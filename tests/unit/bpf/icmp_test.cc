// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include "bpf/lib/icmp.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {
namespace {

// As a receiver computes it: zero if the checksum is right. `frame` has no options.
uint16_t Verify4(const Bytes& frame, size_t at, size_t length) {
  return ChecksumFinish(ChecksumAdd(0, std::span(frame).subspan(at, length)));
}

uint16_t VerifyIcmpv6(const Bytes& frame) {
  const std::span<const uint8_t> bytes(frame);
  Bytes length(4);
  Put32(length, 0, static_cast<uint32_t>(frame.size() - 54));
  uint32_t sum = ChecksumAdd(0, bytes.subspan(22, 32));
  sum = ChecksumAdd(sum, length) + 58;
  return ChecksumFinish(ChecksumAdd(sum, bytes.subspan(54)));
}

void Reply4(Bytes& frame) {
  ek_echo_reply4(reinterpret_cast<iphdr*>(&frame[14]), reinterpret_cast<ek_icmp*>(&frame[34]));
}

void Reply6(Bytes& frame) {
  ek_echo_reply6(reinterpret_cast<ipv6hdr*>(&frame[14]), reinterpret_cast<ek_icmp*>(&frame[54]));
}

// All values of one word: the sum passes every point at which a carry or a zero can go wrong.
TEST(EchoReply, ChecksumsHoldForEveryWord) {
  for (const size_t size : {0u, 1u, 2u, 33u}) {
    for (uint32_t word = 0; word < 0x10000; ++word) {
      Packet four = EchoRequest("198.51.100.7", "192.0.2.10", size);
      Packet six = EchoRequest("2001:db8::7", "2001:db8::10", size);
      four.ttl = static_cast<uint8_t>(word);
      for (Packet* packet : {&four, &six}) {
        std::fill(packet->icmp.begin() + 2, packet->icmp.end(), uint8_t{0});
        Put16(packet->icmp, 4, static_cast<uint16_t>(word));
      }
      Bytes frame4 = Build(four), frame6 = Build(six);
      Reply4(frame4);
      Reply6(frame6);
      ASSERT_EQ(Verify4(frame4, 14, 20), 0) << word;
      // The sum over the message alone, all zeros but the checksum, must be 0xffff, not 0.
      ASSERT_EQ(Verify4(frame4, 34, 8 + size), 0) << word;
      ASSERT_EQ(VerifyIcmpv6(frame6), 0) << word;
      ASSERT_EQ(frame4[34], 0);
      ASSERT_EQ(frame6[54], 129);
    }
  }
}

// A broken request stays broken: the reply says so to its sender.
TEST(EchoReply, DoesNotMendAChecksum) {
  Bytes frame = Build(EchoRequest("198.51.100.7", "192.0.2.10", 8));
  frame.back() ^= 1;
  Reply4(frame);
  EXPECT_NE(Verify4(frame, 34, 16), 0);
}

TEST(NoHost, Addresses) {
  const auto no_host = [](const std::string& text) {
    const Bytes bytes = AddressBytes(text);
    __be32 words[4];
    std::memcpy(words, bytes.data(), bytes.size());
    return (bytes.size() == 4 ? ek_is_no_host4(words[0]) : ek_is_no_host6(words)) != 0;
  };
  for (const char* nobody : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1",
                             "ff02::1", "ff0e::101"}) {
    EXPECT_TRUE(no_host(nobody)) << nobody;
  }
  for (const char* host : {"1.1.1.1", "10.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255",
                           "2001:db8::1", "fd00::1", "fe80::1"}) {
    EXPECT_FALSE(no_host(host)) << host;
  }
}

}  // namespace
}  // namespace evenkeel::testing
