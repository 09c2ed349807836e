// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_HASH_KEY_H_
#define EVENKEEL_CONTROL_DAEMON_HASH_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "control/maglev/maglev.h"

namespace evenkeel::daemon {

// The fleet's secret from `path`: 32 hexadecimal digits. An absent file is made, mode 0600, from
// the kernel's random numbers. PermissionDenied: group or others may read or write it.
// InvalidArgument: something else is in it.
absl::StatusOr<maglev::HashKey> LoadOrCreateHashKey(const std::string& path);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_HASH_KEY_H_
