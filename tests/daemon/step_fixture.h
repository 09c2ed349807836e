// SPDX-License-Identifier: Apache-2.0
//
// A daemon that is killed at the steps of a change (tests/harness/steps), and what must be so then:
// packets meet the old state or the new one, the next start says which, and the record agrees.
#ifndef EVENKEEL_TESTS_DAEMON_STEP_FIXTURE_H_
#define EVENKEEL_TESTS_DAEMON_STEP_FIXTURE_H_

#include <linux/bpf.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/daemon/daemon_fixture.h"
#include "tests/harness/steps/steps.h"

namespace evenkeel::testing {

// The last step before the swap, which is a store to memory, and what comes after it, but for
// reads.
inline constexpr Step kProbe{StepCall::kBpf, BPF_PROG_TEST_RUN};
inline constexpr Step kRecord{StepCall::kWrite, static_cast<uint8_t>(StepFile::kWal)};
inline constexpr Step kSync{StepCall::kSync, static_cast<uint8_t>(StepFile::kWal)};

// A change and the state before it.
struct Change {
  std::function<void()> prepare;  // brings the state before into force; the daemon answers
  std::function<void()> make;     // the daemon may end meanwhile
};

// What is in force, as the daemon has it and as the kernel has it.
struct InForce {
  engine::Applied applied;
  std::vector<uint32_t> table;

  // Not of the revision's number: a state that is brought about again has another one.
  bool SameState(const InForce& other) const {
    return applied.config == other.applied.config && applied.standing == other.applied.standing &&
           table == other.table;
  }
};

// How many ends were followed by which state, and how the start came to know it.
struct Ends {
  int old_state = 0, new_state = 0;
  int settled_failed = 0, settled_applied = 0;  // the intent stood, the outcome did not
  int survived = 0;  // the change took fewer steps that time: ended after it
};

using Choice = std::function<std::vector<uint32_t>(const std::vector<Step>&)>;

class StepFixture : public DaemonFixture {
 protected:
  void SetUp() override;
  void TearDown() override;

  engine::Outcome ApplyWithin(const model::Config& config, std::chrono::seconds window);
  // Applies `config` and sees to it that nothing awaits its confirmation.
  void MustBring(const model::Config& config);
  InForce Look();

  // Makes `change` for its steps, and then again for each one that is chosen, killing the daemon
  // there, and at the steps around intent, swap and outcome, and once after its answer. `tear`: in
  // the middle of writes, and only there.
  Ends KillAtSteps(const Change& change, const Choice& choose, bool tear = false);
  // As `change` leaves it that is killed at the last step of `order`: the next daemon is killed at
  // steps of its start that concern files, and the one after that is left alone. The record is the
  // only thing that a start may change.
  Ends KillAtStepsOfStart(const Change& change, const std::vector<Step>& order);
  std::vector<Step> StepsOf(const Change& change);

  // Brings the change about anew, with `arm` before it, and looks at what its end left.
  void KillOnce(const Change& change, const InForce& after, const std::function<void()>& arm,
                Ends* ends);
  // Without a daemon: the table and its packets are whole. With the next one: daemon, kernel and
  // record agree.
  void ExpectWholeTable(const InForce& before, const InForce& after);
  void ExpectSettled(const InForce& before, const InForce& after, Ends* ends);
  void ExpectWholeRecord();

  // Waits for the death at a step, or, where that does not come within `patience`, kills. False:
  // it did not come.
  bool AwaitDeath(std::chrono::milliseconds patience);

  std::unique_ptr<Steps> steps_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_STEP_FIXTURE_H_
