// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "control/maglev/maglev.h"

namespace evenkeel::maglev {
namespace {

using Random = std::mt19937_64;

struct Sample {
  std::vector<Member> members;
  uint32_t size;
  HashKey key;
};

Sample Draw(uint64_t seed) {
  Random random(seed);
  constexpr uint32_t kSizes[] = {7, 251, 1009, 4001, 65537};
  Sample sample{{}, kSizes[random() % std::size(kSizes)], {}};
  for (uint8_t& byte : sample.key) byte = static_cast<uint8_t>(random());
  const size_t n = 1 + random() % std::min<uint32_t>(sample.size, 300);
  // From all equal to the full range of 64 bits.
  const uint64_t mask = ~uint64_t{0} >> (random() % 64);
  for (size_t i = 0; i < n; ++i) {
    sample.members.push_back({std::to_string(random()), 1 + (random() & mask) / 2});
  }
  return sample;
}

TEST(MaglevProperty, QuotasSumToTheSizeAndAreWithinASlot) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const Sample sample = Draw(seed);
    std::vector<uint64_t> weights;
    for (const Member& m : sample.members) weights.push_back(m.weight);
    const auto quota = Quotas(weights, sample.size);
    ASSERT_EQ(std::accumulate(quota.begin(), quota.end(), uint64_t{0}), sample.size) << seed;
    const long double total = std::accumulate(weights.begin(), weights.end(), 0.0L);
    size_t minimum = 0;
    for (size_t i = 0; i < quota.size(); ++i) {
      ASSERT_GE(quota[i], 1u) << seed;
      minimum += weights[i] / total * sample.size < 1;
    }
    // Slots that light members get beyond their share are what the others may lack.
    for (size_t i = 0; i < quota.size(); ++i) {
      const long double asked = weights[i] / total * sample.size;
      ASSERT_LE(std::abs(static_cast<double>(quota[i] - asked)), 1.0 + static_cast<double>(minimum))
          << seed;
    }
  }
}

TEST(MaglevProperty, AnyOrderOfTheMembersGivesTheSameBytes) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Sample sample = Draw(seed);
    const Table table = Build(sample.members, sample.size, sample.key).value();
    Random random(seed);
    for (int i = 0; i < 3; ++i) {
      std::shuffle(sample.members.begin(), sample.members.end(), random);
      const Table again = Build(sample.members, sample.size, sample.key).value();
      ASSERT_EQ(again.owner, table.owner) << seed;
      ASSERT_EQ(again.quota, table.quota) << seed;
    }
  }
}

TEST(MaglevProperty, EverySlotIsOwnedAndEveryMemberHasItsQuota) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const Sample sample = Draw(seed);
    const Table table = Build(sample.members, sample.size, sample.key).value();
    std::vector<uint32_t> slots(sample.members.size(), 0);
    for (uint16_t owner : table.owner) ++slots.at(owner);
    ASSERT_EQ(slots, table.quota) << seed;
  }
}

}  // namespace
}  // namespace evenkeel::maglev
