// SPDX-License-Identifier: Apache-2.0
//
// Pure helpers for text that people read.
#ifndef EVENKEEL_CONTROL_CLI_TEXT_H_
#define EVENKEEL_CONTROL_CLI_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/json/time.h"

namespace evenkeel::cli {

// `text` with everything that a terminal could obey made visible: C0 and C1 control characters,
// DEL, bidirectional overrides and bytes that are not UTF-8 become "\x1b", "\n", "\u202e".
std::string Clean(std::string_view text);

// Columns on a terminal, one per code point (of text that Clean() returned).
size_t DisplayWidth(std::string_view text);

// The parts between separators; empty ones are left out.
std::vector<std::string_view> Split(std::string_view text, char separator);

// Lines of at most `width` columns, broken at blanks; a word that is wider is cut.
std::vector<std::string> Wrap(std::string_view text, size_t width);

std::string Percent(double fraction, int digits = 2);   // "33.33 %"
std::string Points(double fraction);                    // "+8.33", "-0.10", "0.00"
std::string Count(uint64_t n);                          // "950", "12.3 k", "4.56 M"
std::string Bytes(uint64_t n);                          // "950 B", "12.3 kB"
std::string Plural(uint64_t n, std::string_view noun);  // "1 slot", "2 slots"

using json::Rfc3339;
std::string UtcTime(int64_t unix_ns);                   // "2026-03-01 12:00:05 UTC"; "never" for 0
std::string Ago(int64_t unix_ns, int64_t now_unix_ns);  // "5 s ago", "3 h ago"

// A bar of `width` columns that `fraction` (0..1) fills.
std::string Bar(double fraction, size_t width, bool utf8);

// The entry of `candidates` that `word` was probably meant to be; empty if none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_TEXT_H_
