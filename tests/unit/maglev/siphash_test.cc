// SPDX-License-Identifier: Apache-2.0
#include "control/maglev/siphash.h"

#include <gtest/gtest.h>

#include <string>

namespace evenkeel::maglev {
namespace {

std::array<uint8_t, 16> PaperKey() {
  std::array<uint8_t, 16> key;
  for (uint8_t i = 0; i < 16; ++i) key[i] = i;
  return key;
}

// The key and the messages 00 01 02 ... of the paper's appendix A.
TEST(SipHash24, MatchesThePapersVectors) {
  std::string message;
  for (char c = 0; c < 15; ++c) message.push_back(c);
  EXPECT_EQ(SipHash24(PaperKey(), message), 0xa129ca6149be45e5u);
  EXPECT_EQ(SipHash24(PaperKey(), ""), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(SipHash24(PaperKey(), message.substr(0, 8)), 0x93f5f5799a932462u);
}

TEST(SipHash24, DependsOnKeyAndLength) {
  auto key = PaperKey();
  const uint64_t hash = SipHash24(key, "a");
  EXPECT_NE(hash, SipHash24(key, std::string("a\0", 2)));
  key[15] ^= 1;
  EXPECT_NE(hash, SipHash24(key, "a"));
}

}  // namespace
}  // namespace evenkeel::maglev
