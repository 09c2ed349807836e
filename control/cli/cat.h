// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_CAT_H_
#define EVENKEEL_CONTROL_CLI_CAT_H_

#include <concepts>
#include <string>
#include <string_view>

namespace evenkeel::cli {

inline void AppendPart(std::string& out, std::string_view text) { out += text; }
void AppendPart(std::string& out, std::integral auto number) { out += std::to_string(number); }

// Joins text and whole numbers. absl::StrCat as packaged does not take std::string_view.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  (AppendPart(out, parts), ...);
  return out;
}

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_CAT_H_
