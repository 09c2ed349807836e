// SPDX-License-Identifier: Apache-2.0
#include "control/model/nearest.h"

#include <gtest/gtest.h>

#include <vector>

#include "control/model/primes.h"
#include "control/model/utf8.h"

namespace evenkeel::model {
namespace {

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string_view> keys = {"name", "address", "weight", "capacity", "state"};
  EXPECT_EQ(Nearest("wieght", keys), "weight");
  EXPECT_EQ(Nearest("Weight", keys), "weight");
  EXPECT_EQ(Nearest("adress", keys), "address");
  EXPECT_EQ(Nearest("capacitys", keys), "capacity");
  EXPECT_EQ(Nearest("frobnicate", keys), "");
  EXPECT_EQ(Nearest("", keys), "");
  EXPECT_EQ(Nearest(std::string(100'000, 'x'), keys), "");
}

TEST(Nearest, SaysTheValidOnesWhereNothingIsNear) {
  const std::vector<std::string_view> keys = {"tcp", "udp"};
  EXPECT_EQ(DidYouMean("tpc", keys), "; did you mean \"tcp\"?");
  EXPECT_EQ(DidYouMean("something", keys), "; valid: tcp, udp");
  EXPECT_EQ(DidYouMean("something", {}), "");
}

TEST(Primes, AreFoundInRange) {
  EXPECT_TRUE(IsPrime(kMinTableSize));
  EXPECT_TRUE(IsPrime(kMaxTableSize));
  EXPECT_TRUE(IsPrime(65537));
  EXPECT_FALSE(IsPrime(65536));
  EXPECT_FALSE(IsPrime(1));
  EXPECT_EQ(NearestTableSize(65536), 65537u);
  EXPECT_EQ(NearestTableSize(0), kMinTableSize);
  EXPECT_EQ(NearestTableSize(4'000'000'000), kMaxTableSize);
}

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_EQ(FindInvalidUtf8("plain"), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2"), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("ab\xff"), 2u);
  EXPECT_EQ(FindInvalidUtf8("\xc3"), 0u);               // cut off
  EXPECT_EQ(FindInvalidUtf8("\xc0\xaf"), 0u);           // overlong
  EXPECT_EQ(FindInvalidUtf8("a\xed\xa0\x80"), 1u);      // a surrogate
  EXPECT_EQ(FindInvalidUtf8("a\xf4\x90\x80\x80"), 1u);  // above U+10FFFF
  EXPECT_EQ(FindInvalidUtf8("\xe2\x82\xac\x80"), 3u);   // a tail byte alone
}

}  // namespace
}  // namespace evenkeel::model
