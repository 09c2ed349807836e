// SPDX-License-Identifier: Apache-2.0
#include "control/model/prefix_list.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

std::string_view Content(std::string_view line) {
  line = line.substr(0, line.find_first_of("#;"));
  const absl::string_view stripped = absl::StripAsciiWhitespace(Av(line));
  return {stripped.data(), stripped.size()};
}

}  // namespace

PrefixList ParsePrefixList(std::string_view text) {
  PrefixList list;
  uint32_t line = 0;
  while (!text.empty()) {
    ++line;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view content = Content(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.empty()) continue;
    const absl::StatusOr<Prefix> prefix = Prefix::Parse(content);
    if (prefix.ok()) {
      list.prefixes.push_back(*prefix);
      list.lines.push_back(line);
      continue;
    }
    if (++list.unread > PrefixList::kMaxProblems) continue;
    list.problems.push_back({line, std::string(prefix.status().message())});
  }
  return list;
}

}  // namespace evenkeel::model
