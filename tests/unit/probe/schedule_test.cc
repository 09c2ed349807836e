// SPDX-License-Identifier: Apache-2.0
#include "control/probe/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string>

namespace evenkeel::probe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Nanos kInterval = seconds{1};
constexpr Nanos kJitter = kInterval / kJitterDivisor;
constexpr Nanos kHour = hours{1};
constexpr Nanos kAnyTime = hours{1000} + milliseconds{123};

model::IpAddress Address(uint32_t n) {
  return model::IpAddress::FromIpv4(
      {10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)});
}

uint64_t Seed(uint32_t n) { return SeedOf("web", Address(n), 80); }

// A schedule of one target, 1, and the time as it says.
class OneTarget {
 public:
  explicit OneTarget(Nanos now = kAnyTime) { schedule_.Add(1, Seed(1), kInterval, now); }

  // Goes on to when something is due, `oversleep` late.
  std::vector<Schedule::Due> Next(Nanos oversleep = Nanos{0}) {
    now_ = *schedule_.NextDue() + oversleep;
    return schedule_.Take(now_);
  }

  Nanos now() const { return now_; }
  Schedule& schedule() { return schedule_; }

 private:
  Schedule schedule_{seconds{5}};
  Nanos now_{};
};

TEST(StartOfTest, SumsUpNothingOverAMillionRounds) {
  const Nanos first = StartOf(Seed(1), kInterval, 0);
  for (int64_t round : {1L, 2L, 10'000L, 1'000'000L, 1'000'000'000L}) {
    const Nanos drift = StartOf(Seed(1), kInterval, round) - first - round * kInterval;
    EXPECT_LE(std::abs(drift.count()), 2 * kJitter.count()) << round;
  }
}

TEST(StartOfTest, JittersByFivePercentAtMostAndByAllOfIt) {
  Nanos least = Nanos::max();
  Nanos most = Nanos::min();
  for (int64_t round = 0; round < 10'000; ++round) {
    const Nanos jitter = StartOf(Seed(7), kInterval, round) - round * kInterval;
    least = std::min(least, jitter);
    most = std::max(most, jitter);
  }
  EXPECT_LE(most - least, 2 * kJitter);
  EXPECT_GE(most - least, 2 * kJitter - milliseconds{2});
}

TEST(StartOfTest, IsTheSameInEveryProcess) {
  EXPECT_EQ(SeedOf("web", Address(1), 80), 6460150912192775558u);
  EXPECT_EQ(StartOf(SeedOf("web", Address(1), 80), kInterval, 5).count(), 5134394360);
}

TEST(StartOfTest, DiffersByPoolAddressAndPort) {
  const uint64_t seed = SeedOf("web", Address(1), 80);
  EXPECT_NE(seed, SeedOf("api", Address(1), 80));
  EXPECT_NE(seed, SeedOf("web", Address(2), 80));
  EXPECT_NE(seed, SeedOf("web", Address(1), 81));
}

// Neighbouring addresses, as a pool has them.
TEST(StartOfTest, SpreadsTwoThousandTargetsOverTheInterval) {
  constexpr size_t kBins = 20;
  std::array<int, kBins> bins{};
  for (uint32_t n = 0; n < 2000; ++n) {
    const Nanos start = StartOf(Seed(n), kInterval, 100) - 99 * kInterval;
    ++bins[static_cast<size_t>(start.count() * kBins / kInterval.count()) % kBins];
  }
  // 100 each; a standard deviation is 10.
  EXPECT_GE(*std::min_element(bins.begin(), bins.end()), 60);
  EXPECT_LE(*std::max_element(bins.begin(), bins.end()), 140);
}

TEST(ScheduleTest, HasNoDriftOverTenThousandRoundsHoweverLongProbesTake) {
  OneTarget one;
  const Nanos begin = one.Next().at(0).at;
  one.schedule().Ended(1);
  for (int round = 1; round <= 10'000; ++round) {
    const auto due = one.Next(/*oversleep=*/milliseconds{round % 90});
    ASSERT_THAT(due, SizeIs(1)) << round;
    const Nanos drift = due[0].at - begin - round * kInterval;
    ASSERT_LE(std::abs(drift.count()), 2 * kJitter.count()) << round;
    one.schedule().Ended(1);  // hundreds of milliseconds later, for all it knows
  }
  EXPECT_EQ(one.schedule().skipped(), 0u);
}

TEST(ScheduleTest, BeginsWithinTheFirstInterval) {
  for (uint32_t n = 0; n < 1000; ++n) {
    Schedule schedule(seconds{5});
    schedule.Add(n, Seed(n), kInterval, kAnyTime);
    EXPECT_GT(*schedule.NextDue(), kAnyTime);
    EXPECT_LE(*schedule.NextDue(), kAnyTime + kInterval + 2 * kJitter);
  }
}

TEST(ScheduleTest, ProbesOnceSoonWhereTheIntervalIsLong) {
  for (uint32_t n = 0; n < 1000; ++n) {
    Schedule schedule(seconds{5});
    schedule.Add(n, Seed(n), kHour, kAnyTime);
    const Nanos first = *schedule.NextDue();
    ASSERT_LE(first, kAnyTime + seconds{5}) << n;
    ASSERT_THAT(schedule.Take(first), SizeIs(1));
    schedule.Ended(n);
    const Nanos second = *schedule.NextDue();
    ASSERT_GT(second, first) << n;
    ASSERT_LE(second, kAnyTime + kHour * 11 / 10) << n;
    ASSERT_THAT(schedule.Take(second), SizeIs(1));
    const Nanos third = *schedule.NextDue();
    ASSERT_GE(third - second, kHour * 9 / 10) << n;
    ASSERT_LE(third - second, kHour * 11 / 10) << n;
  }
}

TEST(ScheduleTest, SkipsAndCountsRoundsWhosePredecessorRuns) {
  OneTarget one;
  EXPECT_THAT(one.Next(), SizeIs(1));
  EXPECT_THAT(one.Next(), IsEmpty());
  EXPECT_THAT(one.Next(), IsEmpty());
  EXPECT_EQ(one.schedule().skipped(), 2u);
  one.schedule().Ended(1);
  EXPECT_THAT(one.Next(), SizeIs(1));
  EXPECT_EQ(one.schedule().skipped(), 2u);
}

TEST(ScheduleTest, KeepsItsRhythmAfterASkippedRound) {
  OneTarget one;
  const Nanos begin = one.Next().at(0).at;
  one.Next();
  one.schedule().Ended(1);
  const Nanos drift = one.Next().at(0).at - begin - 2 * kInterval;
  EXPECT_LE(std::abs(drift.count()), 2 * kJitter.count());
}

TEST(ScheduleTest, RunsOnceAfterALongSleepAndCountsWhatItMissed) {
  OneTarget one;
  const auto due = one.Next(/*oversleep=*/10 * kInterval + kInterval / 2);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(one.schedule().skipped(), 10u);
  EXPECT_GT(*one.schedule().NextDue(), one.now());
  EXPECT_LE(*one.schedule().NextDue(), one.now() + kInterval + 2 * kJitter);
}

TEST(ScheduleTest, TakesWhatIsDueInOrder) {
  Schedule schedule(seconds{5});
  for (uint32_t n = 0; n < 100; ++n) schedule.Add(n, Seed(n), kInterval, kAnyTime);
  const auto due = schedule.Take(kAnyTime + kInterval + 2 * kJitter);
  EXPECT_THAT(due, SizeIs(100));
  EXPECT_TRUE(std::is_sorted(due.begin(), due.end(),
                             [](const auto& a, const auto& b) { return a.at < b.at; }));
}

TEST(ScheduleTest, LeavesOthersAloneWhenTheSetChanges) {
  Schedule schedule(seconds{5});
  std::map<TargetId, Nanos> before;
  for (uint32_t n = 0; n < 3; ++n) schedule.Add(n, Seed(n), kInterval, kAnyTime);
  for (const auto& due : schedule.Take(kAnyTime + 2 * kInterval)) before[due.id] = due.at;
  schedule.Remove(1);
  schedule.Add(3, Seed(3), kInterval, kAnyTime + 2 * kInterval);
  schedule.Ended(0);
  schedule.Ended(1);  // of a removed one: nothing
  schedule.Ended(2);
  std::vector<TargetId> ids;
  for (const auto& due : schedule.Take(kAnyTime + 3 * kInterval + 2 * kJitter)) {
    ids.push_back(due.id);
    if (!before.contains(due.id)) continue;
    const Nanos phase = (due.at - before[due.id]) % kInterval;
    EXPECT_LE(std::min(phase, kInterval - phase), 2 * kJitter) << due.id;
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_THAT(ids, ElementsAre(0, 2, 3));
  EXPECT_EQ(schedule.size(), 3u);
}

TEST(ScheduleTest, ForgetsWhatIsRemoved) {
  Schedule schedule(seconds{5});
  for (uint32_t n = 0; n < 100; ++n) schedule.Add(n, Seed(n), kInterval, kAnyTime);
  schedule.Take(kAnyTime + kInterval / 2);
  for (uint32_t n = 0; n < 100; ++n) schedule.Remove(n);
  EXPECT_EQ(schedule.NextDue(), std::nullopt);
  EXPECT_THAT(schedule.Take(kAnyTime + kHour), IsEmpty());
  schedule.Remove(5);  // again: nothing
  EXPECT_EQ(schedule.size(), 0u);
}

}  // namespace
}  // namespace evenkeel::probe
