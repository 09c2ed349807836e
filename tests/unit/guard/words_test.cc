// SPDX-License-Identifier: Apache-2.0
#include "control/guard/words.h"

#include <gtest/gtest.h>

#include <vector>

namespace evenkeel::guard {
namespace {

std::string List(std::vector<std::string> names) { return NameList(names); }

TEST(Words, NumbersHaveUnits) {
  EXPECT_EQ(Percent(0.914), "91.4 %");
  EXPECT_EQ(Percent(0), "0.0 %");
  EXPECT_EQ(Count(1, "backend"), "1 backend");
  EXPECT_EQ(Count(2, "VIP"), "2 VIPs");
}

TEST(Words, ListsNames) {
  EXPECT_EQ(List({}), "");
  EXPECT_EQ(List({"a"}), "a");
  EXPECT_EQ(List({"web-1", "web-2"}), "web-1, web-2");
  EXPECT_EQ(List({"web-1", "web-2", "web-3"}), "web-1..web-3");
  EXPECT_EQ(List({"web-1", "web-2", "web-4"}), "web-1, web-2, web-4");
  EXPECT_EQ(List({"web-1", "api-2", "web-3"}), "web-1, api-2, web-3");
  EXPECT_EQ(List({"a", "b", "c", "d", "e", "f", "g"}), "a, b, c, d, e, f, ... (7 in all)");
}

}  // namespace
}  // namespace evenkeel::guard
