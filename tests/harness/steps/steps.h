// SPDX-License-Identifier: Apache-2.0
//
// A daemon that can be ended at every step that it makes towards the kernel's maps and its files,
// or whose file system can be made to fail from any of them on.
#ifndef EVENKEEL_TESTS_HARNESS_STEPS_STEPS_H_
#define EVENKEEL_TESTS_HARNESS_STEPS_STEPS_H_

#include <string>
#include <vector>

#include "tests/harness/steps/step_plan.h"

namespace evenkeel::testing {

class Steps {
 public:
  // `file` is made. Files below `dir` are watched, and every bpf(2). Aborts where that fails.
  Steps(const std::string& file, const std::string& dir);
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;
  ~Steps();

  // What the daemon's command line begins with.
  std::vector<std::string> CommandPrefix() const;

  void Count() { Arm(StepAction::kCount, 0, 0); }
  void KillAt(uint32_t step) { Arm(StepAction::kKill, step, 0); }
  void TearAt(uint32_t step) { Arm(StepAction::kTear, step, 0); }
  // Before the last of `order`, once the others were seen before it, in this order.
  void KillAfter(const std::vector<Step>& order);
  // `step`: its number among OnFiles().
  void FailFrom(uint32_t step, int error) { Arm(StepAction::kFail, step, error); }
  // From the step on files after the last of `order`, once they were seen in this order.
  void FailAfter(const std::vector<Step>& order, int error);
  bool killed() const { return plan_->killed; }
  // What was done since; nothing is counted or fails any more.
  std::vector<Step> Disarm();

 private:
  void SetOrder(const std::vector<Step>& order);
  void Arm(StepAction action, uint32_t step, int error);

  const std::string file_;
  StepPlan* plan_;
};

// Numbers, from 1, of steps worth to end at: the first of each kind of step after each kind, also
// the last where a file begins, goes on or ends, and, where those are fewer than `most`, others
// evenly among them.
std::vector<uint32_t> Choose(const std::vector<Step>& steps, size_t most);
// Fewer: the first of each kind, also the last where it concerns a file; `only_files`: of those.
std::vector<uint32_t> ChooseFew(const std::vector<Step>& steps, bool only_files);

// Those that concern files.
std::vector<Step> OnFiles(const std::vector<Step>& steps);

// "12 steps: 5 bpf 24, 1 write wal, ...", runs in their order.
std::string Describe(const std::vector<Step>& steps);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_STEPS_STEPS_H_
