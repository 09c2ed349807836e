// SPDX-License-Identifier: Apache-2.0
#include "control/cli/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/cli/utf8.h"

namespace evenkeel::cli {
namespace {

using testing::ElementsAre;

struct CleanCase {
  const char* name;
  std::string in, out;
};

class CleanTest : public testing::TestWithParam<CleanCase> {};

TEST_P(CleanTest, MakesHarmless) {
  EXPECT_EQ(Clean(GetParam().in), GetParam().out);
  EXPECT_EQ(Clean(GetParam().out), GetParam().out) << "not idempotent";
}

INSTANTIATE_TEST_SUITE_P(
    All, CleanTest,
    testing::Values(CleanCase{"plain", "add web-4", "add web-4"},
                    CleanCase{"letters_beyond_ascii", "für Ålesund €", "für Ålesund €"},
                    CleanCase{"escape_sequence", "\033[2Jgone", "\\x1b[2Jgone"},
                    CleanCase{"osc_title", "\033]0;x\a", "\\x1b]0;x\\x07"},
                    CleanCase{"newline_and_tab", "a\nb\tc\rd", "a\\nb\\tc\\rd"},
                    CleanCase{"nul", std::string("a\0b", 3), "a\\x00b"},
                    CleanCase{"del", "a\x7f", "a\\x7f"},
                    CleanCase{"c1_csi",
                              "\xc2\x9b"
                              "2J",
                              "\\x9b2J"},
                    CleanCase{"bare_c1_byte",
                              "\x9b"
                              "2J",
                              "\\x9b2J"},
                    CleanCase{"right_to_left_override",
                              "a\xe2\x80\xae"
                              "b",
                              "a\\u202eb"},
                    CleanCase{"overlong_slash", "\xc0\xaf", "\\xc0\\xaf"},
                    CleanCase{"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
                    CleanCase{"cut_short", "a\xe2\x82", "a\\xe2\\x82"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Utf8Test, ReadsOneCharacter) {
  EXPECT_EQ(NextUtf8("a").code, U'a');
  EXPECT_EQ(NextUtf8("\xe2\x82\xac").code, U'€');
  EXPECT_EQ(NextUtf8("\xf0\x9f\x98\x80").size, 4u);
  EXPECT_FALSE(NextUtf8("\xf4\x90\x80\x80").valid) << "above U+10FFFF";
  EXPECT_FALSE(NextUtf8("\x80").valid);
}

TEST(WrapTest, BreaksAtBlanksAndCutsWideWords) {
  EXPECT_THAT(Wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("abcdefgh ij", 3), ElementsAre("abc", "def", "gh", "ij"));
  EXPECT_THAT(Wrap("", 5), ElementsAre(""));
  EXPECT_THAT(Wrap("€€€€", 2), ElementsAre("€€", "€€"));
  EXPECT_THAT(Wrap("abc", 3), ElementsAre("abc"));
  EXPECT_THAT(Wrap("ab", 0), ElementsAre("a", "b"));
}

TEST(SplitTest, LeavesOutEmptyParts) {
  EXPECT_THAT(Split("a||b|", '|'), ElementsAre("a", "b"));
  EXPECT_TRUE(Split("", '|').empty());
}

TEST(NumbersTest, AreReadable) {
  EXPECT_EQ(Percent(1.0 / 3), "33.33 %");
  EXPECT_EQ(Percent(0.5, 1), "50.0 %");
  EXPECT_EQ(Points(0.0833), "+8.33");
  EXPECT_EQ(Points(-0.001), "-0.10");
  EXPECT_EQ(Points(-0.00001), "0.00");
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(1000), "1.00 k");
  EXPECT_EQ(Count(12345), "12.3 k");
  EXPECT_EQ(Count(999'999), "1.00 M");
  EXPECT_EQ(Count(UINT64_MAX), "18.4 E");
  EXPECT_EQ(Bytes(0), "0 B");
  EXPECT_EQ(Bytes(123'400), "123 kB");
  EXPECT_EQ(Plural(1, "slot"), "1 slot");
  EXPECT_EQ(Plural(0, "slot"), "0 slots");
}

TEST(TimeTest, IsUtc) {
  EXPECT_EQ(UtcTime(1'772'366'405'123'000'000), "2026-03-01 12:00:05 UTC");
  EXPECT_EQ(Rfc3339(1'772'366'405'123'000'000), "2026-03-01T12:00:05.123Z");
  EXPECT_EQ(UtcTime(0), "never");
  EXPECT_EQ(Rfc3339(0), "");
  const int64_t second = 1'000'000'000;
  EXPECT_EQ(Ago(0, 5 * second), "5 s ago");
  EXPECT_EQ(Ago(0, 600 * second), "10 min ago");
  EXPECT_EQ(Ago(0, 3 * 3600 * second), "3 h ago");
  EXPECT_EQ(Ago(0, 72 * 3600 * second), "3 d ago");
  EXPECT_EQ(Ago(9 * second, 0), "0 s ago") << "clocks differ";
}

TEST(BarTest, FillsItsPart) {
  EXPECT_EQ(Bar(0, 4, false), "    ");
  EXPECT_EQ(Bar(0.5, 4, false), "##  ");
  EXPECT_EQ(Bar(1, 4, false), "####");
  EXPECT_EQ(Bar(0.0001, 4, false), "#   ") << "something is not nothing";
  EXPECT_EQ(Bar(7, 4, false), "####");
  EXPECT_EQ(Bar(0.5, 4, true), "██  ");
  EXPECT_EQ(Bar(0.40625, 4, true), "█▋  ");
  for (double fraction = 0; fraction <= 1; fraction += 0.01) {
    EXPECT_EQ(DisplayWidth(Bar(fraction, 10, true)), 10u) << fraction;
  }
}

}  // namespace
}  // namespace evenkeel::cli
