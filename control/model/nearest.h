// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_NEAREST_H_
#define EVENKEEL_CONTROL_MODEL_NEAREST_H_

#include <span>
#include <string>
#include <string_view>

namespace evenkeel::model {

// The element of `valid` with the smallest edit distance to `text` (insert, delete, replace, swap
// of neighbours; case ignored), or empty where none is near enough to be what was meant.
std::string_view Nearest(std::string_view text, std::span<const std::string_view> valid);

// "; did you mean \"weight\"?", or "; valid: a, b, c" where nothing is near.
std::string DidYouMean(std::string_view text, std::span<const std::string_view> valid);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_NEAREST_H_
