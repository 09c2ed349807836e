// SPDX-License-Identifier: Apache-2.0
//
// A plan that was saved to be applied later: what `plan --out` writes and `apply PLAN` reads.
#ifndef EVENKEEL_CONTROL_CLI_PLAN_FILE_H_
#define EVENKEEL_CONTROL_CLI_PLAN_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/engine/engine.h"
#include "control/model/yaml.h"

namespace evenkeel::cli {

inline constexpr char kPlanFileSchema[] = "evenkeel.plan-file/v1";
// Twice a configuration's limit: JSON escapes line ends and what is not ASCII.
inline constexpr size_t kMaxPlanFileBytes = 2 * model::kMaxConfigBytes;

struct SavedPlan {
  std::string source;  // the file that it was made from, for people
  std::string pool;    // of a change of one pool; else empty
  engine::Change change;
  std::string etag;  // of the state that it was made against, and only there it may be applied
  uint64_t revision = 0;
  std::string verdict;             // at that time: "pass", "warn"
  std::vector<std::string> rules;  // that warned, each once
  int64_t created_unix_ns = 0;
};

// JSON with a digest over all else in it: a slip of an editor is found. It is no signature: whoever
// may apply a change may also make a plan, and the daemon judges what it is sent in any case.
std::string PlanText(const SavedPlan& plan);

// InvalidArgument, with the reason and the remedy: no plan, damaged, edited, of a newer format.
// `path` is for messages.
absl::StatusOr<SavedPlan> ParsePlan(std::string_view text, const std::string& path);

absl::StatusOr<SavedPlan> ReadPlanFile(const std::string& path);

// Makes room for a new plan: an older one at `path` is removed, so that none that is out of date
// stays behind where the new one fails. FailedPrecondition: something else is there.
absl::Status ClearPlanFile(const std::string& path);

// Atomically, mode 0600.
absl::Status WritePlanFile(const std::string& path, const SavedPlan& plan);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PLAN_FILE_H_
