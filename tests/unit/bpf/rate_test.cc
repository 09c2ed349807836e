// SPDX-License-Identifier: Apache-2.0
#include "bpf/lib/rate.h"

#include <gtest/gtest.h>

#include <random>

namespace evenkeel::testing {
namespace {

constexpr uint64_t kInterval = 1000;

// How many of `count` that come `apart` ns after each other are let through.
int Pass(uint64_t burst, uint64_t apart, int count, uint64_t due = 0, uint64_t start = 1'000'000) {
  __u64 next = due;
  int passed = 0;
  for (int i = 0; i < count; ++i) {
    const uint64_t now = start + static_cast<uint64_t>(i) * apart;
    passed += ek_rate_next(next, now, kInterval, burst, &next);
  }
  return passed;
}

TEST(RateTest, ABurstAtOnceAndNoMore) {
  for (const uint64_t burst : {1, 2, 7, 1000}) {
    EXPECT_EQ(Pass(burst, 0, 5000), static_cast<int>(burst));
  }
  EXPECT_EQ(Pass(0, kInterval, 10), 0);
}

TEST(RateTest, AtTheRateAllPass) {
  EXPECT_EQ(Pass(1, kInterval, 1000), 1000);
  EXPECT_EQ(Pass(1, kInterval - 1, 1000), 500);
}

TEST(RateTest, AboveTheRateTheRatePasses) {
  // 10 times too fast, for 100 intervals: the burst, and one for each interval.
  EXPECT_EQ(Pass(5, kInterval / 10, 1000), 5 + 99);
}

TEST(RateTest, APauseFillsTheBurstAndNoMore) {
  EXPECT_EQ(Pass(3, 0, 10, 0, 1'000'000'000), 3);
  EXPECT_EQ(Pass(3, 0, 10, 999'999'999, 1'000'000'000), 3);
}

TEST(RateTest, WhatIsRefusedCostsNothing) {
  __u64 next = 42;
  EXPECT_FALSE(ek_rate_next(1'000'000, 0, kInterval, 3, &next));
  EXPECT_EQ(next, 42u);
}

// Against a bucket with tokens, filled in whole intervals.
TEST(RateTest, IsATokenBucket) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    const uint64_t burst = 1 + random() % 20;
    uint64_t now = 5000;
    __u64 next = 0;
    uint64_t credit = burst * kInterval;  // in ns
    for (int i = 0; i < 500; ++i) {
      const uint64_t pause = random() % (2 * kInterval);
      now += pause;
      credit = std::min(burst * kInterval, credit + pause);
      const bool expected = credit >= kInterval;
      if (expected) credit -= kInterval;
      ASSERT_EQ(ek_rate_next(next, now, kInterval, burst, &next), expected) << round << " " << i;
    }
  }
}

}  // namespace
}  // namespace evenkeel::testing
