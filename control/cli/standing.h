// SPDX-License-Identifier: Apache-2.0
//
// What becomes of an applied revision, as people and programs read it.
#ifndef EVENKEEL_CONTROL_CLI_STANDING_H_
#define EVENKEEL_CONTROL_CLI_STANDING_H_

#include <string>

#include "control/cli/exit_code.h"
#include "control/cli/printer.h"
#include "control/cli/session.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// "2026-03-01 12:02:00 UTC (118 s left)".
std::string Deadline(int64_t deadline_unix_ns, int64_t now_unix_ns);

// What to do about a revision that awaits its confirmation.
void PrintAwaited(Printer& out, const engine::Applied& applied, int64_t now_unix_ns);

// Waits until `applied`, or what carries it on, is confirmed or rolled back and says which. The
// user may stop waiting; the daemon goes on without.
ExitCode WaitSettled(Session& session, const engine::Applied& applied);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_STANDING_H_
