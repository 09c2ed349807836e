// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/csum.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {
namespace {

TEST(CsumFold, KnownSums) {
  EXPECT_EQ(ek_csum_fold(0), 0xffff);
  EXPECT_EQ(ek_csum_fold(0xffff), 0);
  EXPECT_EQ(ek_csum_fold(0x1fffe), 0);
  EXPECT_EQ(ek_csum_fold(0x10000), 0xfffe);
  EXPECT_EQ(ek_csum_fold(0xffffffff), 0);
}

TEST(CsumHalves, SplitsAWord) { EXPECT_EQ(ek_csum_halves(0x00120034), 0x46u); }

uint16_t Decremented(uint16_t check) { return ntohs(ek_csum_dec_high_byte(htons(check))); }

// RFC 1624, section 4: the case in which RFC 1141's equation gives the wrong zero.
TEST(CsumDecHighByte, TheCaseOfRfc1624) {
  EXPECT_EQ(Decremented(0xfeff), 0x0000);
  EXPECT_EQ(Decremented(0xff00), 0x0001);
}

// Every TTL and many headers: as if the checksum were computed from scratch.
TEST(CsumDecHighByte, EqualsTheFullChecksum) {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    Packet packet;
    packet.src = "10." + std::to_string(random() % 256) + ".0." + std::to_string(random() % 256);
    packet.payload = random() % 1400;
    for (int ttl = 1; ttl < 256; ttl += 1 + static_cast<int>(random() % 16)) {
      packet.ttl = static_cast<uint8_t>(ttl);
      Bytes frame = Build(packet);
      const uint16_t before = Get16(frame, kEthernetLength + 10);
      --frame[kEthernetLength + 8];
      FixIpv4Checksum(frame);
      ASSERT_EQ(Decremented(before), Get16(frame, kEthernetLength + 10)) << ttl;
    }
  }
}

// A header whose sum is such that the decremented checksum lies at the wrap.
TEST(CsumDecHighByte, EqualsTheFullChecksumAtTheWrap) {
  for (uint32_t id = 0; id < 0x10000; ++id) {
    Bytes frame = Build({});
    Put16(frame, kEthernetLength + 4, static_cast<uint16_t>(id));
    FixIpv4Checksum(frame);
    const uint16_t before = Get16(frame, kEthernetLength + 10);
    --frame[kEthernetLength + 8];
    FixIpv4Checksum(frame);
    ASSERT_EQ(Decremented(before), Get16(frame, kEthernetLength + 10)) << id;
  }
}

}  // namespace
}  // namespace evenkeel::testing
