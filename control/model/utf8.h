// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_UTF8_H_
#define EVENKEEL_CONTROL_MODEL_UTF8_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace evenkeel::model {

// Offset of the first byte that is not well-formed UTF-8 (RFC 3629: no surrogates, no overlong
// forms, nothing above U+10FFFF), or nullopt.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_UTF8_H_
