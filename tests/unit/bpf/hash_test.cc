// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/hash.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "tests/harness/packet/reference_hash.h"

namespace evenkeel::testing {
namespace {

constexpr HashKey kPaperKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

uint64_t Hash(const HashKey& key, const Packet& packet) {
  const __u64 words[2] = {key[0], key[1]};
  const Bytes src = AddressBytes(packet.src), dst = AddressBytes(packet.dst);
  __be32 s[4] = {}, d[4] = {};
  std::memcpy(s, src.data(), src.size());
  std::memcpy(d, dst.data(), dst.size());
  if (packet.is_ipv4()) {
    return ek_flow_hash4(words, s[0], d[0], htons(packet.sport), htons(packet.dport), packet.proto);
  }
  return ek_flow_hash6(words, s, d, htons(packet.sport), htons(packet.dport), packet.proto);
}

Packet RandomPacket(std::mt19937& random, bool ipv4) {
  Packet packet;
  char text[INET6_ADDRSTRLEN];
  const auto address = [&] {
    std::array<uint32_t, 4> words;
    for (uint32_t& word : words) word = static_cast<uint32_t>(random());
    inet_ntop(ipv4 ? AF_INET : AF_INET6, words.data(), text, sizeof(text));
    return std::string(text);
  };
  packet.src = address();
  packet.dst = address();
  packet.sport = static_cast<uint16_t>(random());
  packet.dport = static_cast<uint16_t>(random());
  packet.proto = random() % 2 ? kTcp : kUdp;
  return packet;
}

// The test vector of the paper's appendix A: bytes 00..0e under the key 00..0f.
TEST(ReferenceHash, AgreesWithThePaper) {
  Bytes message(15);
  for (size_t i = 0; i < message.size(); ++i) message[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(SipHash(2, 4, kPaperKey, message), 0xa129ca6149be45e5);
}

// Vectors that implementations of the 1-3 variant share: messages of 0 and 1 bytes.
TEST(ReferenceHash, AgreesWithKnownOneThreeVectors) {
  EXPECT_EQ(SipHash(1, 3, kPaperKey, {}), 0xabac0158050fc4dc);
  EXPECT_EQ(SipHash(1, 3, kPaperKey, Bytes{0}), 0xc9f49bf37d57ca93);
}

TEST(FlowHash, IsSipHashOfTheTuple) {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    const Packet packet = RandomPacket(random, i % 2 == 0);
    const HashKey key = {uint64_t{random()} << 32 | random(), uint64_t{random()} << 32 | random()};
    ASSERT_EQ(Hash(key, packet), FlowHash(key, packet)) << packet.src << " " << packet.dst;
  }
}

// Fixed for good: balancers of two versions must agree on every flow's slot.
TEST(FlowHash, GoldenVectors) {
  Packet four;
  EXPECT_EQ(Hash(kPaperKey, four), 0x39b752a328d3c3e1);
  Packet six;
  six.src = "2001:db8:ffff::7";
  six.dst = "2001:db8::10";
  EXPECT_EQ(Hash(kPaperKey, six), 0xcb638d2d23446c59);
  six.proto = kUdp;
  EXPECT_EQ(Hash(kPaperKey, six), 0xc0d502bdc370dd9f);
}

TEST(FlowHash, EveryFieldAndTheKeyMatter) {
  const Packet base;
  std::vector<Packet> variants(5, base);
  variants[0].src = "198.51.100.8";
  variants[1].dst = "192.0.2.11";
  variants[2].sport ^= 1;
  variants[3].dport ^= 1;
  variants[4].proto = kUdp;
  for (const Packet& variant : variants) EXPECT_NE(Hash(kPaperKey, variant), Hash(kPaperKey, base));
  EXPECT_NE(Hash({1, 2}, base), Hash({1, 3}, base));
  EXPECT_NE(Hash({1, 2}, base), Hash({2, 2}, base));
}

// Without the key, neighbouring ports and addresses say nothing about the slot: one changed input
// bit changes half of the output bits.
TEST(FlowHash, Avalanche) {
  std::mt19937 random(2);
  double changed = 0;
  constexpr int kTrials = 20000;
  for (int i = 0; i < kTrials; ++i) {
    Packet packet = RandomPacket(random, true);
    const uint64_t before = Hash(kPaperKey, packet);
    packet.sport = static_cast<uint16_t>(packet.sport ^ 1u << random() % 16);
    changed += __builtin_popcountll(before ^ Hash(kPaperKey, packet));
  }
  EXPECT_NEAR(changed / kTrials, 32, 0.2);
}

TEST(HashSlot, CoversTheTableEvenlyAndNothingElse) {
  EXPECT_EQ(ek_hash_slot(0, 65537), 0u);
  EXPECT_EQ(ek_hash_slot(0xffffffff, 65537), 65536u);
  EXPECT_EQ(ek_hash_slot(~uint64_t{0}, 655373), 655372u);
  constexpr uint32_t kSize = 251;
  constexpr int kFlows = 251 * 1000;
  std::vector<int> hits(kSize);
  std::mt19937 random(3);
  for (int i = 0; i < kFlows; ++i) {
    Packet packet;
    packet.sport = static_cast<uint16_t>(i);
    packet.src = "10.0." + std::to_string(i >> 16) + ".1";
    ++hits[ek_hash_slot(Hash(kPaperKey, packet), kSize)];
  }
  double chi_squared = 0;
  for (const int count : hits) chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 250 + 5 * std::sqrt(2.0 * 250));  // 5 sigma above 250 degrees
}

// The outer source must not repeat the slot's bits: all flows of one backend would share it.
TEST(HashEntropy, IsIndependentOfTheSlot) {
  EXPECT_EQ(ek_hash_entropy(0x00000000ffffffff), 0u);
  EXPECT_EQ(ek_hash_entropy(0x12345678ffffffff), 0x12345678u);
}

}  // namespace
}  // namespace evenkeel::testing
