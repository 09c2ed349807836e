// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_UTF8_H_
#define EVENKEEL_CONTROL_CLI_UTF8_H_

#include <cstddef>
#include <string_view>

namespace evenkeel::cli {

struct Utf8Char {
  char32_t code = 0;
  size_t size = 1;  // bytes to advance; 1 where invalid
  bool valid = false;
};

// The first character of `text`, which is not empty. Overlong forms, surrogates and values above
// U+10FFFF are invalid (RFC 3629).
Utf8Char NextUtf8(std::string_view text);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_UTF8_H_
