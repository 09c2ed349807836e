// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_
#define EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace evenkeel::cli {

// Writes a new file that only its owner may read, whole or not at all: under another name in the
// same folder, then renamed. What stands at `path` is replaced.
absl::Status WritePrivately(const std::string& path, std::string_view text);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_
