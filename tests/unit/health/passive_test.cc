// SPDX-License-Identifier: Apache-2.0
#include "control/health/passive.h"

#include <gtest/gtest.h>

namespace evenkeel::health {
namespace {

constexpr model::PassiveSignal kSignal{.min_share = 0.05, .min_count = 3};

bool IsWell(PassiveRound round) { return JudgePassive(kSignal, round).ok; }

TEST(PassiveTest, NothingSpeaksAgainstAServerWithoutPackets) { EXPECT_TRUE(IsWell({})); }

TEST(PassiveTest, BothTheNumberAndTheShareMustBeReached) {
  EXPECT_TRUE(IsWell({.forwarded = 10, .returned = 2}));
  EXPECT_FALSE(IsWell({.forwarded = 10, .returned = 3}));
  EXPECT_FALSE(IsWell({.forwarded = 100, .returned = 5}));
  EXPECT_TRUE(IsWell({.forwarded = 101, .returned = 5}));
  EXPECT_FALSE(IsWell({.forwarded = 0, .returned = 3})) << "read before its packets were counted";
}

TEST(PassiveTest, TheCauseHasTheErrorAndTheNumbers) {
  const ProbeResult said = JudgePassive(
      kSignal,
      {.forwarded = 40, .returned = 12, .last_error = "protocol unreachable from 10.0.1.11"});
  EXPECT_EQ(said.cause, "its packets come back: protocol unreachable from 10.0.1.11, 12 of 40");
}

TEST(PassiveTest, WithoutANextHopItsPacketsAreDropped) {
  const ProbeResult said = JudgePassive(kSignal, {.no_next_hop = "no route to 10.0.1.11"});
  EXPECT_FALSE(said.ok);
  EXPECT_EQ(said.cause, "its packets are dropped: no route to 10.0.1.11");
}

}  // namespace
}  // namespace evenkeel::health
