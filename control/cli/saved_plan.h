// SPDX-License-Identifier: Apache-2.0
//
// Between a plan as made and a plan as a file.
#ifndef EVENKEEL_CONTROL_CLI_SAVED_PLAN_H_
#define EVENKEEL_CONTROL_CLI_SAVED_PLAN_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "control/cli/plan_report.h"

namespace evenkeel::cli {

// Takes the plan at `path` for what is to be applied. InvalidArgument: options were given that the
// plan has decided already; else as ReadPlanFile.
absl::Status TakePlanFile(const std::string& path, ChangeOptions& options);

// Whether there is something to save: a change that would be accepted, or none.
bool CanBeSaved(const Planned& planned);
absl::Status SavePlan(const std::string& path, const ChangeOptions& options, const Planned& planned,
                      int64_t now_unix_ns);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_SAVED_PLAN_H_
