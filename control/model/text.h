// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_TEXT_H_
#define EVENKEEL_CONTROL_MODEL_TEXT_H_

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace evenkeel::model {

// Debian's Abseil is built with a string_view of its own, which does not convert by itself.
inline absl::string_view Av(std::string_view text) { return {text.data(), text.size()}; }

// `text` in double quotes, escaped and cut to `limit` bytes: input that is shown in a message.
inline std::string Quoted(std::string_view text, size_t limit = 64) {
  const bool cut = text.size() > limit;
  return '"' + absl::Utf8SafeCHexEscape(Av(text.substr(0, limit))) + (cut ? "...\"" : "\"");
}

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_TEXT_H_
