// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_DAEMON_KILL_FIXTURE_H_
#define EVENKEEL_TESTS_DAEMON_KILL_FIXTURE_H_

#include <vector>

#include "tests/daemon/step_fixture.h"

namespace evenkeel::testing {

// Choices of steps.
inline std::vector<uint32_t> Many(const std::vector<Step>& steps) { return Choose(steps, 30); }
inline std::vector<uint32_t> Few(const std::vector<Step>& steps) { return ChooseFew(steps, false); }

class KillTest : public StepFixture {
 protected:
  // Of a change that is recorded before and after: some ends come before the kernel has it, some
  // after, and of both some between intent and outcome.
  static void ExpectBothSides(const Ends& ends) {
    EXPECT_GE(ends.settled_failed, 2);
    EXPECT_GT(ends.old_state, ends.settled_failed) << "none was before the intent stood";
    EXPECT_GE(ends.settled_applied, 2);
    EXPECT_GE(ends.new_state, ends.settled_applied + 2) << "none was after the outcome stood";
  }
  Change ApplyNine() {
    return {.prepare = [this] { MustBring(MakeConfig(8)); },
            .make = [this] { Apply(MakeConfig(9)); }};
  }
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_KILL_FIXTURE_H_
