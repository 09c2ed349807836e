// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_
#define EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::cli {

// Writes a new file that only its owner may read, whole or not at all: under another name in the
// same folder, then renamed. What stands at `path` is replaced.
absl::Status WritePrivately(const std::string& path, std::string_view text);

// For what comes bit by bit: a new, empty file that only its owner may read. What stands at `path`
// is replaced where it is a file or a link to one; anything else is FailedPrecondition.
absl::StatusOr<dataplane::UniqueFd> CreatePrivately(const std::string& path);
absl::Status WriteTo(const std::string& path, const dataplane::UniqueFd& file,
                     std::string_view bytes);
// Says so if not all of it reached the disk.
absl::Status ClosePrivately(const std::string& path, dataplane::UniqueFd file);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PRIVATE_FILE_H_
