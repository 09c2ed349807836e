// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_
#define EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace evenkeel::cli {

// The text of a regular file or a pipe of at most `limit` bytes; never read beyond that. Errors
// name the path, the reason and the remedy.
absl::StatusOr<std::string> ReadBounded(const std::string& path, size_t limit);

// Writes a new file that only its owner may read, whole or not at all: under another name in the
// same folder, then renamed. What stands at `path` is replaced.
absl::Status WritePrivately(const std::string& path, std::string_view text);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_
