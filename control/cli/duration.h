// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_DURATION_H_
#define EVENKEEL_CONTROL_CLI_DURATION_H_

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace evenkeel::cli {

// "90s", "2m", "1h30m": whole seconds from `least` to `most`. InvalidArgument names `option`.
absl::StatusOr<std::chrono::seconds> ReadDuration(std::string_view option, const std::string& text,
                                                  std::chrono::seconds least,
                                                  std::chrono::seconds most);

// "300ms", "2s": whole milliseconds.
absl::StatusOr<std::chrono::milliseconds> ReadMilliseconds(std::string_view option,
                                                           const std::string& text,
                                                           std::chrono::milliseconds least,
                                                           std::chrono::milliseconds most);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_DURATION_H_
