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
  const MonthResult at_once = RunMonth(options);
  for (const std::string& page : at_once.pages) ADD_FAILURE() << page;
  EXPECT_GT(at_once.plans, 5000u);
  // Where what heavy clients and flows make by right has time, there are few tickets, too.
  options.thresholds.by_right_s = 4 * 3600;
  const MonthResult result = RunMonth(options);
  for (const std::string& page : result.pages) ADD_FAILURE() << page;
  // Two and a half days' events of a hundred pools.
  uint64_t tickets = 0, of_clients = 0;
  for (const auto& [kind, n] : result.tickets) {
    std::printf("tickets %s: %lu\n", kind.c_str(), n);
    tickets += n;
    if (kind.starts_with("clustered")) of_clients += n;
  }
  EXPECT_LE(tickets, 40u);
  EXPECT_LE(of_clients, 6u);
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

// Twenty flows a second for each server: 1.6 times is a ticket in little more than five minutes,
// 1.35 times is none, and neither is a page.
TEST(DetectPropertyTest, OneAndAHalfTimesIsATicket) {
  constexpr int kPatience_s = 900;
  SkewOptions options;
  options.trials = 200;
  options.flows = 200;
  options.times = 1.6;
  const std::vector<double> over = TicketTimes(options, kPatience_s);
  std::printf("p50 %.0f max %.0f s\n", over[100], over.back());
  EXPECT_GE(over.front(), 270);
  EXPECT_LE(over.back(), 330);
  options.times = 1.35;
  const std::vector<double> under = TicketTimes(options, kPatience_s);
  EXPECT_EQ(under.front(), kPatience_s);
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
