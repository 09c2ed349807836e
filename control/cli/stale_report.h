// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_STALE_REPORT_H_
#define EVENKEEL_CONTROL_CLI_STALE_REPORT_H_

#include <optional>
#include <string_view>

#include "control/cli/exit_code.h"
#include "control/cli/plan_report.h"
#include "control/cli/session.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// The state changed under the user's hands: says by whom, when, why and what (against `base`,
// where that is known), and the command to repeat. `command` is "plan" or "apply".
ExitCode ReportStale(Session& session, const ChangeOptions& options, const engine::Outcome& outcome,
                     const std::optional<engine::Applied>& base, std::string_view command);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_STALE_REPORT_H_
