// SPDX-License-Identifier: Apache-2.0
//
// The screen of `top`: what is on it, and what keys change. Pure.
#ifndef EVENKEEL_CONTROL_CLI_TOP_VIEW_H_
#define EVENKEEL_CONTROL_CLI_TOP_VIEW_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/printer.h"
#include "control/cli/status_report.h"

namespace evenkeel::cli {

enum class TopSort { kConfigured, kSkew, kPackets, kName };
std::string_view ToString(TopSort sort);

struct TopState {
  TopSort sort = TopSort::kConfigured;
  std::string filter;   // only pools and backends whose name or address has it
  bool typing = false;  // the filter, at the moment
  bool paused = false;
  bool help = false;
  size_t scroll = 0;  // pool lines that are above the screen
  bool ending = false;
};

// Keys as the terminal sends them; an escape sequence is one of these.
inline constexpr char kKeyUp = 1, kKeyDown = 2, kKeyPageUp = 3, kKeyPageDown = 4;

// What a key makes of the state. `page`: lines of a page. True: the screen is to be drawn anew.
bool TakeKey(char key, size_t page, TopState* state);

using ScreenLine = std::vector<Cell>;  // cells follow each other without gaps

// Exactly `rows` lines or fewer, each at most `columns` wide. `problem`: why there is nothing newer
// than `now`; empty: there is. Scrolling beyond the end is put right in `state`.
std::vector<ScreenLine> RenderTop(const StatusSample& now,
                                  const std::optional<StatusSample>& before,
                                  const std::string& problem, size_t columns, size_t rows,
                                  bool utf8, TopState* state);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_TOP_VIEW_H_
