// SPDX-License-Identifier: Apache-2.0
//
// What docs/detector.md promises, by chance and the same each time. build/bench/detect_bench does
// the same for longer.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/property/detect/causes.h"
#include "tests/property/detect/month.h"
#include "tests/property/detect/trials.h"

namespace evenkeel::detect::simulation {
namespace {

// A hundred pools, in which everything happens ten times as often as it does.
TEST(DetectPropertyTest, NobodyIsWokenForNothing) {
  MonthOptions options;
  options.seconds = kDay / 4;
  for (double* often : {&options.mix.drain, &options.mix.death, &options.mix.crowd,
                        &options.mix.loss, &options.mix.stuck, &options.mix.elephant}) {
    *often /= 10;
  }
  const MonthResult result = RunMonth(options);
  for (const std::string& page : result.pages) ADD_FAILURE() << page;
  EXPECT_GT(result.plans, 5000u);
  for (const auto& [kind, n] : result.tickets) std::printf("tickets %s: %lu\n", kind.c_str(), n);
  std::printf("generations %lu, seconds sampled %lu\n", result.plans, result.sampled);
}

TEST(DetectPropertyTest, ThreeTimesIsFoundWithinTwoSeconds) {
  for (const bool new_generation : {false, true}) {
    SkewOptions options;
    options.trials = 1000;
    options.new_generation = new_generation;
    const std::vector<double> times = DetectionTimes(options);
    std::printf("p50 %.2f p99 %.2f max %.2f s\n", times[500], times[990], times.back());
    EXPECT_LE(times.back(), 2.0);
  }
}

TEST(DetectPropertyTest, CausesAreToldApart) {
  constexpr int kTrials = 100;
  for (const auto& [made, said] : ConfuseCauses(kTrials, 1)) {
    const auto right = said.find(made);
    const int n = right == said.end() ? 0 : right->second;
    EXPECT_GE(n, 95) << made;
    for (const auto& [what, times] : said) {
      std::printf("%s said %s: %d\n", made.c_str(), what.c_str(), times);
    }
  }
}

TEST(DetectPropertyTest, NoAlarmEndsAtNight) {
  const NightResult result = RunNights(20, 1);
  EXPECT_EQ(result.raised, 20);
  EXPECT_EQ(result.cleared_at_night, 0);
  EXPECT_EQ(result.marked, 20);
  EXPECT_EQ(result.cleared_after, 20);
}

}  // namespace
}  // namespace evenkeel::detect::simulation
