// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_ROLLBACK_REPORT_H_
#define EVENKEEL_CONTROL_CLI_ROLLBACK_REPORT_H_

#include "control/cli/exit_code.h"
#include "control/cli/session.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// What a rollback or cancel came to.
ExitCode ReportRollback(Session& session, const engine::Outcome& outcome);
// Of confirm, cancel and rollback: why nothing was done.
ExitCode ReportNotDone(Session& session, const engine::Outcome& outcome);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_ROLLBACK_REPORT_H_
