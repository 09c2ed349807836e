// SPDX-License-Identifier: Apache-2.0
//
// How many slots a change moves, against how many it must: the difference in shares.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "control/maglev/maglev.h"

namespace evenkeel::maglev {
namespace {

constexpr uint32_t kSize = 65537;

std::vector<Member> Equal(size_t n) {
  std::vector<Member> members;
  for (size_t i = 0; i < n; ++i) {
    // Fixed width, so that the order by id is the order by number.
    members.push_back(
        {"10.0." + std::to_string(100 + i / 250) + "." + std::to_string(100 + i % 250), 100});
  }
  return members;
}

struct Change {
  double moved;   // fraction of slots whose owner differs
  double needed;  // half the sum of the differences in shares
};

Change Compare(std::vector<Member> before, std::vector<Member> after) {
  const auto by_id = [](const Member& a, const Member& b) { return a.id < b.id; };
  std::sort(before.begin(), before.end(), by_id);
  std::sort(after.begin(), after.end(), by_id);
  const HashKey key{1, 2, 3};
  const Table a = Build(before, kSize, key).value(), b = Build(after, kSize, key).value();
  uint32_t moved = 0;
  for (uint32_t slot = 0; slot < kSize; ++slot) {
    moved += before[a.owner[slot]].id != after[b.owner[slot]].id;
  }
  std::map<std::string, double> difference;
  for (size_t i = 0; i < before.size(); ++i) difference[before[i].id] -= a.quota[i];
  for (size_t i = 0; i < after.size(); ++i) difference[after[i].id] += b.quota[i];
  double needed = 0;
  for (const auto& [id, slots] : difference) needed += std::max(0.0, slots);
  return {static_cast<double>(moved) / kSize, needed / kSize};
}

TEST(Disruption, OneOfAHundredRemoved) {
  for (size_t gone : {0u, 41u, 99u}) {
    auto after = Equal(100);
    after.erase(after.begin() + static_cast<ptrdiff_t>(gone));
    const Change change = Compare(Equal(100), after);
    EXPECT_GE(change.moved, 0.0099) << gone;
    EXPECT_LT(change.moved, 0.025) << gone;
  }
}

TEST(Disruption, OneOfAHundredAdded) { EXPECT_LT(Compare(Equal(99), Equal(100)).moved, 0.025); }

TEST(Disruption, OneOfFourRemoved) {
  auto after = Equal(4);
  after.erase(after.begin());
  const Change change = Compare(Equal(4), after);
  EXPECT_NEAR(change.needed, 0.25, 0.001);
  EXPECT_LT(change.moved, 0.27);
}

TEST(Disruption, FiftyOfAThousandRemoved) {
  auto after = Equal(1000);
  after.erase(after.begin() + 100, after.begin() + 150);
  EXPECT_LT(Compare(Equal(1000), after).moved, 0.10);
}

TEST(Disruption, AWeightChangeMovesAboutTheChangeInShare) {
  for (uint64_t weight : {10u, 50u, 99u, 101u, 150u, 200u, 1000u}) {
    auto after = Equal(20);
    after[7].weight = weight;
    const Change change = Compare(Equal(20), after);
    EXPECT_LT(change.moved, change.needed + 0.02) << weight;
  }
}

TEST(Disruption, ALighterMemberLeavingMovesAboutItsShare) {
  auto before = Equal(20);
  for (size_t i = 0; i < before.size(); ++i) before[i].weight = 50 + 37 * i % 100;
  auto after = before;
  after.erase(after.begin() + 5);
  const Change change = Compare(before, after);
  EXPECT_LT(change.moved, change.needed + 0.02);
}

}  // namespace
}  // namespace evenkeel::maglev
