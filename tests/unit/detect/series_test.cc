// SPDX-License-Identifier: Apache-2.0
#include "control/detect/series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evenkeel::detect {
namespace {

using ::testing::ElementsAre;

float SumOf(const Series& series, Window window) {
  std::vector<float> sums;
  series.Sum(window, sums);
  return sums[0];
}

// One a second: each window holds its seconds, and not much more.
TEST(SeriesTest, WindowsHoldTheirSeconds) {
  Series series(1);
  for (int second = 1; second <= 1000; ++second) {
    series.Advance(1);
    series.Add(0, 1);
    EXPECT_EQ(SumOf(series, Window::k1), 1);
    EXPECT_EQ(SumOf(series, Window::k3), std::min(second, 3));
    EXPECT_EQ(SumOf(series, Window::k10), std::min(second, 10));
    EXPECT_GE(SumOf(series, Window::k60), static_cast<float>(std::min(second, 60)));
    EXPECT_LE(SumOf(series, Window::k60), static_cast<float>(std::min(second, 70)));
    EXPECT_GE(SumOf(series, Window::k300), static_cast<float>(std::min(second, 300)));
    EXPECT_LE(SumOf(series, Window::k300), static_cast<float>(std::min(second, 360)));
  }
}

TEST(SeriesTest, KeepsServersApart) {
  Series series(3);
  series.Advance(1);
  series.Add(0, 1);
  series.Add(2, 5);
  series.Advance(1);
  series.Add(2, 7);
  std::vector<float> sums;
  series.Sum(Window::k10, sums);
  EXPECT_THAT(sums, ElementsAre(1, 0, 12));
  series.Sum(Window::k1, sums);
  EXPECT_THAT(sums, ElementsAre(0, 0, 7));
}

TEST(SeriesTest, ForgetsWhatSecondsWithoutTicksPassed) {
  Series series(1);
  series.Advance(1);
  series.Add(0, 100);
  series.Advance(11);
  EXPECT_EQ(SumOf(series, Window::k10), 0);
  EXPECT_EQ(SumOf(series, Window::k60), 100);
  series.Advance(100'000);
  EXPECT_EQ(SumOf(series, Window::k300), 0);
}

TEST(SeriesTest, ClearedIsEmpty) {
  Series series(1);
  series.Advance(1);
  series.Add(0, 100);
  series.Clear();
  for (const Window window : {Window::k1, Window::k3, Window::k10, Window::k60, Window::k300}) {
    EXPECT_EQ(SumOf(series, window), 0);
  }
}

}  // namespace
}  // namespace evenkeel::detect
