// SPDX-License-Identifier: Apache-2.0
//
// Numbers and names as the guard's messages show them.
#ifndef EVENKEEL_CONTROL_GUARD_WORDS_H_
#define EVENKEEL_CONTROL_GUARD_WORDS_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace evenkeel::guard {

// 0.914 -> "91.4 %".
std::string Percent(double fraction);

// "1 backend", "3 backends".
std::string Count(size_t n, std::string_view noun);

// "web-1..web-4" for names that count up by one, else "web-1, web-3", shortened to
// "web-1, web-3, ... (12 in all)" where there are many. The order given is kept.
std::string NameList(std::span<const std::string> names);

}  // namespace evenkeel::guard

#endif  // EVENKEEL_CONTROL_GUARD_WORDS_H_
