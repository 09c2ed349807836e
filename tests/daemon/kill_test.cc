// SPDX-License-Identifier: Apache-2.0
//
// kill -9 at each step of a change: the next start ends in exactly the old state or the new one.
#include <gtest/gtest.h>

#include "tests/daemon/kill_fixture.h"

namespace evenkeel::testing {
namespace {

TEST_F(KillTest, InAnApply) { ExpectBothSides(KillAtSteps(ApplyNine(), Many)); }

// A write that reaches the disk in part is none.
TEST_F(KillTest, InTheMiddleOfAWrite) {
  const Ends ends = KillAtSteps(ApplyNine(), Many, /*tear=*/true);
  EXPECT_GT(ends.old_state, 0);
  EXPECT_GT(ends.new_state, 0);
}

TEST_F(KillTest, InARollback) {
  const Change back = {.prepare =
                           [this] {
                             MustBring(MakeConfig(8));
                             MustBring(MakeConfig(9));
                           },
                       .make = [this] { client_->RollBack({.reason = "a test"}); }};
  ExpectBothSides(KillAtSteps(back, Few));
}

// The start that settles what a kill left is killed, too.
TEST_F(KillTest, InTheStartAfterAnIntent) {
  const Ends ends = KillAtStepsOfStart(ApplyNine(), {kProbe});
  EXPECT_GT(ends.old_state, 4);
  EXPECT_EQ(ends.new_state, 0);
}

}  // namespace
}  // namespace evenkeel::testing
