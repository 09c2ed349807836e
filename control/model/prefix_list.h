// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_PREFIX_LIST_H_
#define EVENKEEL_CONTROL_MODEL_PREFIX_LIST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/model/prefix.h"

namespace evenkeel::model {

struct PrefixList {
  struct Problem {
    uint32_t line = 0;  // from 1
    std::string message;
  };
  std::vector<Prefix> prefixes;
  std::vector<uint32_t> lines;    // of each prefix
  std::vector<Problem> problems;  // the first kMaxProblems
  size_t unread = 0;              // lines with a problem, all of them

  static constexpr size_t kMaxProblems = 20;
};

// One prefix or address a line; what follows a `#` or `;` is a comment.
PrefixList ParsePrefixList(std::string_view text);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_PREFIX_LIST_H_
