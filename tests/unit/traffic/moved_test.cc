// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/moved.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using traffic::MovedParts;

// Letters are servers, '-' is nobody.
guard::BuiltTable Table(const std::string& owners) {
  guard::BuiltTable table;
  table.size = static_cast<uint32_t>(owners.size());
  std::set<char> letters(owners.begin(), owners.end());
  letters.erase('-');
  const std::string sorted(letters.begin(), letters.end());
  for (const char letter : sorted) {
    table.servers.push_back(model::IpAddress::FromIpv4({10, 0, 0, static_cast<uint8_t>(letter)}));
  }
  for (const char letter : owners) {
    table.owner.push_back(letter == '-' ? maglev::kNoOwner
                                        : static_cast<uint16_t>(sorted.find(letter)));
  }
  return table;
}

std::vector<double> Parts(const std::string& now, const std::string& then, bool same_hash = true) {
  return MovedParts(Table(now), Table(then), same_hash);
}

TEST(MovedPartsTest, OfTablesOfOneSize) {
  EXPECT_THAT(Parts("aabb", "aabb"), ElementsAre(0, 0));
  EXPECT_THAT(Parts("aabb", "aabc"), ElementsAre(0, 0.5));
  EXPECT_THAT(Parts("aabb", "bbaa"), ElementsAre(1, 1));
  EXPECT_THAT(Parts("bbcc", "aacc"), ElementsAre(1, 0)) << "indices are not servers";
  EXPECT_THAT(Parts("abab", "-bab"), ElementsAre(0.5, 0));
  EXPECT_THAT(Parts("a-b-", "acbc"), ElementsAre(0, 0)) << "nobody's slots are nobody's packets";
  EXPECT_THAT(Parts("ab", ""), ElementsAre(1, 1));
}

// A half of the hashes that lead to slot 1 of 3 lead to slot 0 of 2, the others to slot 1.
TEST(MovedPartsTest, OfTablesOfTwoSizes) {
  EXPECT_THAT(Parts("aab", "ab"), ElementsAre(DoubleNear(0.25, 1e-12), 0));
  EXPECT_THAT(Parts("ab", "aab"), ElementsAre(0, DoubleNear(1.0 / 3, 1e-12)));
  EXPECT_THAT(Parts("ab", "aabb"), ElementsAre(0, 0));
}

TEST(MovedPartsTest, OfTwoHashes) {
  EXPECT_THAT(Parts("aabb", "aaab", false), ElementsAre(0.25, 0.75));
  EXPECT_THAT(Parts("aabb", "bbbb", false), ElementsAre(1, 0));
}

// Against the slots counted one by one, on real tables.
TEST(MovedPartsTest, IsWhatCountingSays) {
  const model::Config before = MakeConfig(1, 7);
  model::Config after = before;
  after.pools[0].backends.erase(after.pools[0].backends.begin() + 2);
  after.pools[0].backends[0].weight = 30;
  const auto now = Judge(before, nullptr).fleet->pools[0]->table;
  const auto then = Judge(after, nullptr).fleet->pools[0]->table;
  std::vector<double> all(now->servers.size()), moved(now->servers.size());
  for (size_t i = 0; i < now->owner.size(); ++i) {
    all[now->owner[i]] += 1;
    moved[now->owner[i]] += now->servers[now->owner[i]] != then->servers[then->owner[i]];
  }
  const std::vector<double> parts = MovedParts(*now, *then, true);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_DOUBLE_EQ(parts[i], moved[i] / all[i]) << i;
  EXPECT_EQ(parts[2], 1) << "removed";
}

}  // namespace
}  // namespace evenkeel::testing
