// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_BOUNDED_FILE_H_
#define EVENKEEL_CONTROL_MODEL_BOUNDED_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace evenkeel::model {

// The text of a file or a pipe of at most `limit` bytes; never read beyond one byte more, also from
// a device that never ends. "-" is standard input where `standard_input` says so. Errors name the
// file, the reason and the remedy; `too_large` is the remedy for a file above the limit.
absl::StatusOr<std::string> ReadBounded(const std::string& path, size_t limit,
                                        std::string_view too_large, bool standard_input = false);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_BOUNDED_FILE_H_
