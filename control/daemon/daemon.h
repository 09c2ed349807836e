// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_DAEMON_H_
#define EVENKEEL_CONTROL_DAEMON_DAEMON_H_

#include "control/daemon/settings.h"

namespace evenkeel::daemon {

// Runs until SIGTERM or SIGINT; returns the process's exit code (flags.h). Call once, from the main
// thread, before there are others.
int Run(const Settings& settings);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_DAEMON_H_
