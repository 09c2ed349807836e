// SPDX-License-Identifier: Apache-2.0
//
// What the test and the library in the daemon share: a file that both have mapped.
#ifndef EVENKEEL_TESTS_HARNESS_STEPS_STEP_PLAN_H_
#define EVENKEEL_TESTS_HARNESS_STEPS_STEP_PLAN_H_

#include <atomic>
#include <cstdint>

namespace evenkeel::testing {

inline constexpr const char* kPlanVariable = "EK_STEP_PLAN";  // names the file
inline constexpr uint32_t kMaxSteps = 8192;                   // later ones are counted, not noted

enum class StepCall : uint8_t { kBpf = 1, kGrace, kWrite, kSync, kTruncate, kName };
enum class StepFile : uint8_t { kDatabase = 1, kWal, kSharedMemory, kJournal, kOther };

// A call by which a process changes or reads the kernel's objects, or changes a file.
struct Step {
  StepCall call{};
  uint8_t detail = 0;  // kBpf: the command; otherwise a StepFile

  friend bool operator==(const Step&, const Step&) = default;
};

enum class StepAction : uint32_t {
  kCount,
  kKill,       // SIGKILL before the step
  kTear,       // a write: SIGKILL after half of it; others: as kKill
  kKillAfter,  // SIGKILL before the last of `order`, once the others were seen in this order
  // From a step on, changes of files fail with `error`. Only steps on files are counted: what the
  // kernel is asked meanwhile by other threads, as by a sweep, must not shift them.
  kFail,
  kFailAfter,  // the same, once `order` was seen
};

struct StepPlan {
  char dir[256];  // only files below are of interest
  std::atomic<bool> armed;
  std::atomic<uint32_t> count;  // steps since it was armed
  std::atomic<uint32_t> seen;   // of `order`
  std::atomic<bool> killed;
  // Set before it is armed.
  StepAction action;
  uint32_t at;  // from 1
  int32_t error;
  uint32_t order_size;
  Step order[4];

  Step steps[kMaxSteps];
};
static_assert(std::atomic<uint32_t>::is_always_lock_free, "shared between processes");

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_STEPS_STEP_PLAN_H_
