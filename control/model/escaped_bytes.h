// SPDX-License-Identifier: Apache-2.0
//
// Bytes as printable ASCII: what stands for itself, and \xHH, \n, \r, \t and \\ for all others.
#ifndef EVENKEEL_CONTROL_MODEL_ESCAPED_BYTES_H_
#define EVENKEEL_CONTROL_MODEL_ESCAPED_BYTES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace evenkeel::model {

// InvalidArgument, with what to write instead, for anything else.
absl::StatusOr<std::string> ParseEscaped(std::string_view text);

// Reads back as `bytes`; has neither of the two quotes, so that it can stand in either.
std::string ToEscaped(std::string_view bytes);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_ESCAPED_BYTES_H_
