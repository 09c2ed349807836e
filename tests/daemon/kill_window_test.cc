// SPDX-License-Identifier: Apache-2.0
//
// kill -9 around windows: what awaits its confirmation goes on doing so, or is what it became.
#include <gtest/gtest.h>

#include "tests/daemon/kill_fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::seconds;

constexpr seconds kLong{3600};  // a window that no test waits for

TEST_F(KillTest, InAnApplyThatAwaitsItsConfirmation) {
  const Change change = {.prepare = [this] { MustBring(MakeConfig(8)); },
                         .make = [this] { ApplyWithin(MakeConfig(9), kLong); }};
  ExpectBothSides(KillAtSteps(change, Few));
}

TEST_F(KillTest, InAConfirmation) {
  const Change confirm = {.prepare =
                              [this] {
                                MustBring(MakeConfig(8));
                                ApplyWithin(MakeConfig(9), kLong);
                              },
                          .make = [this] { client_->Confirm({.reason = "a test"}); }};
  const Ends ends = KillAtSteps(confirm, Few);
  EXPECT_GT(ends.old_state, 0);
  EXPECT_GT(ends.new_state, 0);
}

// Its state has in it what nobody confirmed: the window goes on, with one revision or the other.
TEST_F(KillTest, InAnEmergencyDrainDuringAWindow) {
  int64_t deadline = 0;
  const Change drain = {
      .prepare =
          [&] {
            MustBring(MakeConfig(8));
            ApplyWithin(MakeConfig(9), kLong);
            deadline = client_->Get()->deadline_unix_ns;
          },
      .make =
          [this] {
            engine::Request request;
            request.change.edit = engine::Edit{
                .pool = "web", .backend = "web-1", .state = model::AdminState::kDraining};
            request.reason = "web-1 burns";
            client_->Apply(request);
          }};
  ExpectBothSides(KillAtSteps(drain, Few));
}

TEST_F(KillTest, InTheStartAfterASwap) {
  const Ends ends = KillAtStepsOfStart(ApplyNine(), {kProbe, kRecord});
  EXPECT_EQ(ends.old_state, 0);
  EXPECT_GT(ends.new_state, 4);
}

}  // namespace
}  // namespace evenkeel::testing
