// SPDX-License-Identifier: Apache-2.0
#include "control/probe/turns.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace evenkeel::probe {
namespace {

std::vector<TargetId> TakeAll(Turns& turns) {
  std::vector<TargetId> ids;
  while (const auto next = turns.Next()) ids.push_back(next->id);
  return ids;
}

TEST(TurnsTest, OnePoolAloneHasAllSockets) {
  Turns turns(10);
  turns.AddTarget("a");
  for (TargetId id = 1; id <= 12; ++id) turns.Push("a", id, Nanos{0});
  EXPECT_EQ(TakeAll(turns), (std::vector<TargetId>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(turns.waiting(), 2u);
  turns.Ended("a");
  EXPECT_EQ(TakeAll(turns), std::vector<TargetId>{11});
}

TEST(TurnsTest, APoolAmongOthersLeavesAsMuchAsItHas) {
  Turns turns(10);
  turns.AddTarget("a");
  turns.AddTarget("b");
  for (TargetId id = 1; id <= 20; ++id) turns.Push("a", id, Nanos{0});
  EXPECT_EQ(TakeAll(turns).size(), 5u);
  for (TargetId id = 21; id <= 40; ++id) turns.Push("b", id, Nanos{0});
  EXPECT_EQ(TakeAll(turns).size(), 3u) << "of the five that are left";
  EXPECT_EQ(turns.running(), 8u);
  for (int n = 0; n < 5; ++n) turns.Ended("a");
  // Both have some now, and neither more than is free.
  EXPECT_EQ(TakeAll(turns).size(), 4u);
}

TEST(TurnsTest, PoolsTakeTurns) {
  Turns turns(100);
  for (const char* pool : {"a", "b", "c"}) turns.AddTarget(pool);
  for (TargetId id = 1; id <= 4; ++id) turns.Push("a", id, Nanos{0});
  turns.Push("b", 11, Nanos{0});
  turns.Push("c", 21, Nanos{0});
  turns.Push("c", 22, Nanos{0});
  EXPECT_EQ(TakeAll(turns), (std::vector<TargetId>{1, 11, 21, 2, 22, 3, 4}));
}

TEST(TurnsTest, SaysWhoHadToWait) {
  Turns turns(1);
  turns.AddTarget("a");
  turns.Push("a", 1, Nanos{5});
  turns.Push("a", 2, Nanos{6});
  auto next = turns.Next();
  ASSERT_TRUE(next.has_value());
  EXPECT_FALSE(next->waited);
  EXPECT_EQ(next->due, Nanos{5});
  EXPECT_FALSE(turns.Next().has_value());
  turns.Ended("a");
  next = turns.Next();
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->id, 2u);
  EXPECT_TRUE(next->waited);
}

TEST(TurnsTest, EveryPoolGetsOneWhileAnyIsFree) {
  Turns turns(8);
  for (int n = 0; n < 9; ++n) {
    const std::string pool(1, static_cast<char>('a' + n));
    turns.AddTarget(pool);
    for (TargetId id = 0; id < 10; ++id) turns.Push(pool, static_cast<TargetId>(n) * 10 + id, {});
  }
  std::set<TargetId> pools;
  for (const TargetId id : TakeAll(turns)) pools.insert(id / 10);
  EXPECT_GE(pools.size(), 7u);
}

TEST(TurnsTest, ForgetsWhoIsRemoved) {
  Turns turns(10);
  turns.AddTarget("a");
  turns.AddTarget("b");
  turns.AddTarget("b");
  for (TargetId id = 1; id <= 10; ++id) turns.Push(id % 2 ? "a" : "b", id, {});
  turns.RemoveTarget("a");
  EXPECT_EQ(turns.waiting(), 5u);
  turns.RemoveTarget("b");
  turns.KeepIf([](TargetId id) { return id == 4; });
  EXPECT_EQ(turns.waiting(), 1u);
  EXPECT_EQ(TakeAll(turns), std::vector<TargetId>{4});
  turns.Ended("b");
  turns.KeepIf([](TargetId) { return false; });
  turns.Push("b", 12, {});
  EXPECT_EQ(TakeAll(turns), std::vector<TargetId>{12}) << "once in the round";
}

}  // namespace
}  // namespace evenkeel::probe
