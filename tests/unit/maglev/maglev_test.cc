// SPDX-License-Identifier: Apache-2.0
#include "control/maglev/maglev.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "control/maglev/siphash.h"

namespace evenkeel::maglev {
namespace {

HashKey TestKey() {
  HashKey key;
  std::iota(key.begin(), key.end(), uint8_t{0});
  return key;
}

std::vector<Member> Equal(size_t n, uint64_t weight = 100) {
  std::vector<Member> members;
  for (size_t i = 0; i < n; ++i) members.push_back({"backend-" + std::to_string(i), weight});
  return members;
}

std::vector<uint32_t> Count(const Table& table) {
  std::vector<uint32_t> slots(table.quota.size(), 0);
  for (uint16_t owner : table.owner) ++slots.at(owner);
  return slots;
}

// The algorithm of the header's comment in its plainest form: one turn at a time, by comparing
// fractions k / w exactly, with slots probed one by one.
std::vector<uint16_t> Oracle(std::vector<Member> members, uint32_t size, const HashKey& key) {
  std::sort(members.begin(), members.end(), [](auto& a, auto& b) { return a.id < b.id; });
  std::vector<uint64_t> weights;
  for (const Member& m : members) weights.push_back(m.weight);
  const std::vector<uint32_t> quota = Quotas(weights, size);
  std::vector<uint32_t> turns(members.size(), 0);
  std::vector<uint64_t> step(members.size(), 0);
  std::vector<uint16_t> owner(size, kNoOwner);
  for (uint32_t filled = 0; filled < size; ++filled) {
    size_t next = members.size();
    for (size_t i = 0; i < members.size(); ++i) {
      if (turns[i] == quota[i]) continue;
      if (next == members.size() ||
          (turns[i] + 1) * weights[next] < (turns[next] + 1) * weights[i]) {
        next = i;
      }
    }
    const uint64_t offset = SipHash24(key, members[next].id + '\0') % size;
    const uint64_t skip = SipHash24(key, members[next].id + '\1') % (size - 1) + 1;
    uint64_t slot;
    do {
      slot = (offset + step[next]++ * skip) % size;
    } while (owner[slot] != kNoOwner);
    owner[slot] = static_cast<uint16_t>(next);
    ++turns[next];
  }
  return owner;
}

TEST(Maglev, AgreesWithThePlainAlgorithm) {
  for (uint32_t size : {7u, 251u, 1009u}) {
    for (const std::vector<Member>& members :
         {std::vector<Member>{{"a", 1}}, std::vector<Member>{{"a", 1}, {"b", 1}, {"c", 1}},
          std::vector<Member>{{"c", 3}, {"a", 1}, {"b", 2}},
          std::vector<Member>{{"a", 1000}, {"b", 1}, {"c", 7}, {"d", 13}, {"e", 50}},
          std::vector<Member>{{"x", 999'983}, {"y", 999'979}}}) {
      const auto table = Build(members, size, TestKey());
      ASSERT_TRUE(table.ok()) << table.status();
      EXPECT_EQ(table->owner, Oracle(members, size, TestKey())) << size << "/" << members.size();
    }
  }
}

// Balancers of different versions must agree: a change of this table is a change of the protocol.
TEST(Maglev, GoldenTables) {
  const auto small = Build(std::vector<Member>{{"a", 1}, {"b", 1}, {"c", 1}}, 7, TestKey());
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(small->owner, (std::vector<uint16_t>{2, 1, 1, 0, 0, 0, 2}));
  std::vector<Member> members = Equal(100);
  for (size_t i = 0; i < members.size(); ++i) members[i].weight = 1 + i * 7 % 20;
  const auto large = Build(members, 65537, TestKey());
  ASSERT_TRUE(large.ok());
  std::string bytes;
  for (uint16_t owner : large->owner) {
    bytes.push_back(static_cast<char>(owner >> 8));
    bytes.push_back(static_cast<char>(owner & 0xff));
  }
  EXPECT_EQ(SipHash24(TestKey(), bytes), 6610526434207973914u);
}

TEST(Maglev, GivesEveryoneExactlyTheQuota) {
  for (size_t n : {1u, 2u, 3u, 100u, 655u}) {
    std::vector<Member> members = Equal(n);
    for (size_t i = 0; i < n; ++i) members[i].weight = 1 + i % 20;
    const auto table = Build(members, 65537, TestKey());
    ASSERT_TRUE(table.ok());
    EXPECT_EQ(Count(*table), table->quota) << n;
    EXPECT_EQ(std::accumulate(table->quota.begin(), table->quota.end(), 0u), 65537u);
  }
}

// A well-known balancer puts every slot on the first of these four.
TEST(Maglev, WeightsThatExceedTheTableSizeStillMeanEqual) {
  const auto table = Build(Equal(4, 65536), 65537, TestKey());
  ASSERT_TRUE(table.ok());
  for (uint32_t slots : Count(*table)) EXPECT_NEAR(slots, 65537 / 4.0, 1);
}

TEST(Maglev, ScaleOfWeightsDoesNotMatter) {
  auto members = Equal(10);
  for (size_t i = 0; i < members.size(); ++i) members[i].weight = 1 + i;
  const auto table = Build(members, 65537, TestKey());
  for (Member& m : members) m.weight *= 1'000'003;
  EXPECT_EQ(Build(members, 65537, TestKey())->owner, table->owner);
}

TEST(Maglev, DependsOnTheKey) {
  HashKey other = TestKey();
  other[0] ^= 1;
  EXPECT_NE(Build(Equal(4), 251, TestKey())->owner, Build(Equal(4), 251, other)->owner);
}

TEST(Maglev, AnEmptySetOwnsNothing) {
  const auto table = Build({}, 251, TestKey());
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->owner, std::vector<uint16_t>(251, kNoOwner));
  EXPECT_TRUE(table->quota.empty());
}

TEST(Maglev, RefusesWhatHasNoTable) {
  const auto code = [](const std::vector<Member>& members, uint32_t size) {
    return Build(members, size, TestKey()).status().code();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({{"a", 1}, {"a", 2}}, 251), kInvalid);
  EXPECT_EQ(code({{"", 1}}, 251), kInvalid);
  EXPECT_EQ(code({{"a", 0}}, 251), kInvalid);
  EXPECT_EQ(code({{"a", 1}}, 252), kInvalid);
  EXPECT_EQ(code({{"a", 1}}, 0), kInvalid);
  EXPECT_EQ(code(Equal(252), 251), kInvalid);
  EXPECT_EQ(code(Equal(251), 251), absl::StatusCode::kOk);
}

TEST(Maglev, AbsurdWeightsStillGiveATable) {
  std::vector<Member> members = Equal(200, 1);
  members[7].weight = ~uint64_t{0};
  const auto table = Build(members, 251, TestKey());
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(Count(*table), table->quota);
  EXPECT_EQ(*std::max_element(table->quota.begin(), table->quota.end()), 52u);
}

}  // namespace
}  // namespace evenkeel::maglev
