// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/outer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {
namespace {

Bytes Outer4(const ek_outer4& outer, uint32_t entropy, uint32_t inner_len, uint8_t tos = 0,
             uint8_t proto = EK_PROTO_IPV4) {
  ek_ipv4_words words{};
  ek_fill_outer4(&words, &outer, entropy, tos, inner_len, proto);
  Bytes bytes(sizeof(words));
  std::memcpy(bytes.data(), &words, sizeof(words));
  return bytes;
}

// The precomputed part and the packet's part make a valid header, whatever the addresses.
TEST(Outer4, ChecksumHolds) {
  std::mt19937 random(5);
  for (int i = 0; i < 100000; ++i) {
    ek_outer4 outer{};
    outer.dst = random();
    outer.src_mask = htonl((1u << random() % 17) - 1);
    outer.src_base = random() & ~outer.src_mask;
    const uint8_t proto = random() % 2 ? EK_PROTO_IPV4 : EK_PROTO_UDP;
    const uint8_t tos = static_cast<uint8_t>(random() & 0xfc);
    outer.csum = ek_outer4_csum(outer.dst, proto);
    const Bytes bytes = Outer4(outer, random(), random() % 65516, tos, proto);
    ASSERT_EQ(bytes[1], tos);
    ASSERT_EQ(bytes[9], proto);
    ASSERT_EQ(ChecksumFinish(ChecksumAdd(0, bytes)), 0);
  }
}

TEST(Outer4, ChecksumHoldsAtTheExtremes) {
  for (const uint32_t word : {0u, 0xffffffffu}) {
    ek_outer4 outer{};
    outer.dst = word;
    outer.src_base = word;
    outer.csum = ek_outer4_csum(outer.dst, EK_PROTO_IPV4);
    for (const uint32_t length : {0u, 65515u}) {
      EXPECT_EQ(ChecksumFinish(ChecksumAdd(0, Outer4(outer, ~0u, length))), 0);
    }
  }
}

TEST(Outer4, SourceStaysInItsPrefix) {
  ek_outer4 outer{};
  outer.src_base = htonl(0xac100000);
  outer.src_mask = htonl(0x0000ffff);
  EXPECT_EQ(ntohl(ek_outer4_src(&outer, 0)), 0xac100000u);
  EXPECT_EQ(ntohl(ek_outer4_src(&outer, 0xffffffff)), 0xac10ffffu);
}

TEST(Outer6, Fields) {
  ek_outer6 outer{};
  outer.src_prefix[0] = htonl(0xfd00ffff);
  outer.dst[3] = htonl(7);
  ek_ipv6_words words{};
  ek_fill_outer6(&words, &outer, 0xabcdef12, 0xb8, 1280, EK_PROTO_IPV6);
  EXPECT_EQ(ntohl(words.version_flow), 0x6b8def12u);
  EXPECT_EQ(ntohs(words.payload_len), 1280);
  EXPECT_EQ(ntohs(words.nexthdr_hops), 41 << 8 | 64);
  EXPECT_EQ(ntohl(words.src[0]), 0xfd00ffffu);
  EXPECT_EQ(words.src[2], 0u);
  EXPECT_EQ(ntohl(words.src[3]), 0xabcdef12u);
  EXPECT_EQ(ntohl(words.dst[3]), 7u);
}

TEST(OuterUdp, Fields) {
  ek_udp_words udp{};
  ek_fill_gue(&udp, htons(6080), 0xffffffff, 100);
  EXPECT_EQ(ntohs(udp.source), 65535);
  EXPECT_EQ(ntohs(udp.dest), 6080);
  EXPECT_EQ(ntohs(udp.len), 108);
  EXPECT_EQ(udp.check, 0);
  ek_fill_gue(&udp, htons(6080), 0, 100);
  EXPECT_EQ(ntohs(udp.source), 49152);
}

}  // namespace
}  // namespace evenkeel::testing
