// SPDX-License-Identifier: Apache-2.0
#include "control/model/prefix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/model/prefix_list.h"

namespace evenkeel::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Good {
  const char *text, *canonical;
};

TEST(PrefixTest, ReadsAndPrints) {
  for (const Good& c :
       {Good{"10.0.0.0/8", "10.0.0.0/8"}, Good{"0.0.0.0/0", "0.0.0.0/0"},
        Good{"198.51.100.7", "198.51.100.7/32"}, Good{"198.51.100.128/25", "198.51.100.128/25"},
        Good{"255.255.255.255/32", "255.255.255.255/32"}, Good{"::/0", "::/0"},
        Good{"2001:db8::/32", "2001:db8::/32"}, Good{"2001:DB8:0:0::/127", "2001:db8::/127"},
        Good{"2001:db8::1", "2001:db8::1/128"}}) {
    const auto prefix = Prefix::Parse(c.text);
    ASSERT_TRUE(prefix.ok()) << prefix.status();
    EXPECT_EQ(prefix->ToString(), c.canonical);
    EXPECT_TRUE(prefix->IsCanonical());
  }
}

struct Bad {
  const char *text, *says;
};

TEST(PrefixTest, SaysWhatToWriteInstead) {
  for (const Bad& c :
       {Bad{"198.51.100.7/24", "write 198.51.100.0/24, or 198.51.100.7/32"},
        Bad{"2001:db8::1/64", "write 2001:db8::/64, or 2001:db8::1/128"},
        Bad{"10.0.0.0/33", "10.0.0.0/N with N from 0 to 32"},
        Bad{"2001:db8::/129", "N from 0 to 128"}, Bad{"10.0.0.0/", "N from 0 to 32"},
        Bad{"10.0.0.0/08", "N from 0 to 32"}, Bad{"10.0.0.0/8/8", "N from 0 to 32"},
        Bad{"10.0.0.0/-1", "N from 0 to 32"}, Bad{"10.0.0.0/ 8", "N from 0 to 32"},
        Bad{"10.0.0/8", "not an IPv4 address"}, Bad{"010.0.0.0/8", "leading zero"},
        Bad{"256.0.0.0/8", "not an IPv4 address"}, Bad{"::ffff:10.0.0.0/104", "IPv4-mapped"},
        Bad{"example.org", "host name"}, Bad{"", "is empty"}, Bad{"/8", "is empty"}}) {
    const auto prefix = Prefix::Parse(c.text);
    ASSERT_FALSE(prefix.ok()) << c.text;
    EXPECT_THAT(std::string(prefix.status().message()), HasSubstr(c.says));
  }
}

TEST(PrefixTest, CutsAnAddress) {
  const auto cut = [](const char* address, uint8_t length) {
    return Prefix::Of(*IpAddress::Parse(address), length).ToString();
  };
  EXPECT_EQ(cut("255.255.255.255", 0), "0.0.0.0/0");
  EXPECT_EQ(cut("255.255.255.255", 9), "255.128.0.0/9");
  EXPECT_EQ(cut("255.255.255.255", 32), "255.255.255.255/32");
  EXPECT_EQ(cut("2001:db8:ffff:ffff::1", 45), "2001:db8:fff8::/45");
}

TEST(PrefixTest, WhatLiesWithinFollows) {
  const auto p = [](const char* text) { return *Prefix::Parse(text); };
  EXPECT_LT(p("0.0.0.0/0"), p("0.0.0.0/8"));
  EXPECT_LT(p("10.0.0.0/8"), p("10.0.0.0/9"));
  EXPECT_LT(p("10.0.0.0/9"), p("10.1.0.0/16"));
  EXPECT_LT(p("10.255.255.255"), p("11.0.0.0/8"));
  EXPECT_LT(p("255.255.255.255"), p("::/0"));
}

TEST(PrefixListTest, SkipsCommentsAndBlankLines) {
  const PrefixList list = ParsePrefixList(
      "# a list\n\n10.0.0.0/8\r\n  2001:db8::/32   # documentation\n192.0.2.1;SBL1\n;\n \t\n");
  EXPECT_THAT(list.problems, IsEmpty());
  EXPECT_THAT(list.lines, ElementsAre(3, 4, 5));
  ASSERT_EQ(list.prefixes.size(), 3u);
  EXPECT_EQ(list.prefixes[1].ToString(), "2001:db8::/32");
  EXPECT_EQ(list.prefixes[2].ToString(), "192.0.2.1/32");
}

TEST(PrefixListTest, NamesTheFirstLinesThatAreNone) {
  std::string text = "10.0.0.0/8\nnone\n10.0.0.1/8";
  PrefixList list = ParsePrefixList(text);
  ASSERT_EQ(list.problems.size(), 2u);
  EXPECT_EQ(list.problems[0].line, 2u);
  EXPECT_EQ(list.problems[1].line, 3u);
  for (int i = 0; i < 1000; ++i) text += "\nnone";
  list = ParsePrefixList(text);
  EXPECT_EQ(list.problems.size(), PrefixList::kMaxProblems);
  EXPECT_EQ(list.unread, 1002u);
}

}  // namespace
}  // namespace evenkeel::model
