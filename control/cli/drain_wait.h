// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_DRAIN_WAIT_H_
#define EVENKEEL_CONTROL_CLI_DRAIN_WAIT_H_

#include <chrono>

#include "control/cli/exit_code.h"
#include "control/cli/session.h"

namespace evenkeel::cli {

// Shows what is still at a drained server until the daemon says that nothing more is to be waited
// for, `timeout` is over (0: never), or the user stops. kDone: it may be stopped; kNotSafe: that is
// not known. The drain stays in force in every case.
ExitCode WaitDrained(Session& session, const engine::DrainQuery& query,
                     std::chrono::seconds timeout);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_DRAIN_WAIT_H_
