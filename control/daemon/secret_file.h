// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_SECRET_FILE_H_
#define EVENKEEL_CONTROL_DAEMON_SECRET_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace evenkeel::daemon {

inline constexpr size_t kMaxSecretBytes = 4096;

// The text of a file that nobody else may read, without the white space around it, at most
// kMaxSecretBytes of it. `what` names it in errors: "webhook.secret_file".
// NotFound: there is none. PermissionDenied: group or others may read or write it.
absl::StatusOr<std::string> ReadSecretFile(std::string_view what, const std::string& path);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_SECRET_FILE_H_
