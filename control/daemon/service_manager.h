// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_SERVICE_MANAGER_H_
#define EVENKEEL_CONTROL_DAEMON_SERVICE_MANAGER_H_

#include <string>

#include "absl/status/status.h"

namespace evenkeel::daemon {

// Tells the service manager that listens on $NOTIFY_SOCKET ("READY=1", "STOPPING=1"); the protocol
// is sd_notify(3). Ok where there is none.
absl::Status NotifyServiceManager(const std::string& state);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_SERVICE_MANAGER_H_
