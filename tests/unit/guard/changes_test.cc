// SPDX-License-Identifier: Apache-2.0
#include "control/guard/changes.h"

#include <gtest/gtest.h>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using Kind = PoolChange::Kind;

TEST(Changes, NothingIsNoChange) {
  const model::Config config = WebWith(4);
  const Verdict verdict = JudgeChange(&config, config).verdict;
  EXPECT_TRUE(verdict.no_change());
  ASSERT_EQ(verdict.pools.size(), 1u);
  EXPECT_EQ(verdict.pools[0].kind, Kind::kUnchanged);
  EXPECT_EQ(verdict.pools[0].slots_moved, 0u);
}

TEST(Changes, AHealthCheckIsAChangeThatMovesNothing) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  candidate.pools[0].health_check.emplace();
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_FALSE(verdict.no_change());
  EXPECT_EQ(verdict.pools[0].kind, Kind::kChanged);
  EXPECT_EQ(verdict.pools[0].slots_moved, 0u);
}

TEST(Changes, SharesBeforeAndAfterAreCounted) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  candidate.pools[0].backends.erase(candidate.pools[0].backends.begin());
  model::Backend added = base.pools[0].backends[0];
  added.name = "web-9";
  added.address = Ip("10.0.9.9");
  candidate.pools[0].backends.push_back(added);
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  ASSERT_EQ(verdict.pools.size(), 1u);
  const auto& backends = verdict.pools[0].backends;
  ASSERT_EQ(backends.size(), 5u);
  EXPECT_EQ(backends[0].name, "web-1");
  EXPECT_TRUE(backends[0].removed);
  EXPECT_NEAR(backends[0].share_before, 0.25, 1e-4);
  EXPECT_EQ(backends[0].share_after, 0);
  EXPECT_EQ(backends[4].name, "web-9");
  EXPECT_TRUE(backends[4].added);
  EXPECT_NEAR(backends[4].share_after, 0.25, 1e-4);
  EXPECT_FALSE(backends[1].added || backends[1].removed);
  double before = 0, after = 0;
  for (const BackendChange& b : backends) before += b.share_before, after += b.share_after;
  EXPECT_NEAR(before, 1, 1e-9);
  EXPECT_NEAR(after, 1, 1e-9);
}

TEST(Changes, AddedAndRemovedPoolsAndVips) {
  model::Config base = WebWith(4);
  base.pools.push_back(MakePool("old", 2, 7));
  base.vips.push_back({"old", Ip("192.0.2.11"), 80, model::Protocol::kTcp, "old"});
  model::Config candidate = WebWith(4);
  candidate.pools.push_back(MakePool("new", 2, 8));
  candidate.vips.push_back({"new", Ip("192.0.2.12"), 80, model::Protocol::kTcp, "new"});
  candidate.vips[0].port = 8443;
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  ASSERT_EQ(verdict.pools.size(), 3u);
  EXPECT_EQ(verdict.pools[1].pool, "new");
  EXPECT_EQ(verdict.pools[1].kind, Kind::kAdded);
  EXPECT_EQ(verdict.pools[2].pool, "old");
  EXPECT_EQ(verdict.pools[2].kind, Kind::kRemoved);
  ASSERT_EQ(verdict.vips.size(), 3u);
  EXPECT_EQ(verdict.vips[0].kind, Kind::kChanged);
  EXPECT_EQ(verdict.vips[1].kind, Kind::kAdded);
  EXPECT_EQ(verdict.vips[2].kind, Kind::kRemoved);
}

TEST(SlotsMoved, ComparesServersNotIndices) {
  BuiltTable a, b;
  a.servers = {Ip("10.0.0.1"), Ip("10.0.0.3")};
  a.owner = {0, 1, 0, 1, maglev::kNoOwner};
  b.servers = {Ip("10.0.0.2"), Ip("10.0.0.3")};
  b.owner = {0, 1, 1, 1, maglev::kNoOwner};
  EXPECT_EQ(SlotsMoved(a, b), 2u);
  EXPECT_EQ(SlotsMoved(a, a), 0u);
  b.owner.push_back(0);
  EXPECT_EQ(SlotsMoved(a, b), 6u);
}

}  // namespace
}  // namespace evenkeel::guard::testing
