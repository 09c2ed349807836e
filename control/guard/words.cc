// SPDX-License-Identifier: Apache-2.0
#include "control/guard/words.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

constexpr size_t kMaxListed = 6;

// "web-07" -> {"web-0", 7}: the digits after the last non-digit or zero.
std::optional<std::pair<std::string, uint64_t>> SplitNumber(const std::string& name) {
  size_t begin = name.size();
  while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') --begin;
  while (begin + 1 < name.size() && name[begin] == '0') ++begin;
  uint64_t number = 0;
  if (!absl::SimpleAtoi(name.substr(begin), &number)) return std::nullopt;
  return std::pair(name.substr(0, begin), number);
}

bool CountsUp(std::span<const std::string> names) {
  for (size_t i = 1; i < names.size(); ++i) {
    const auto a = SplitNumber(names[i - 1]), b = SplitNumber(names[i]);
    if (!a || !b || a->first != b->first || a->second + 1 != b->second) return false;
  }
  return true;
}

}  // namespace

std::string Percent(double fraction) { return absl::StrFormat("%.1f %%", fraction * 100); }

std::string Count(size_t n, std::string_view noun) {
  return absl::StrCat(n, " ", model::Av(noun), n == 1 ? "" : "s");
}

std::string NameList(std::span<const std::string> names) {
  if (names.size() > 2 && CountsUp(names)) {
    return absl::StrCat(names.front(), "..", names.back());
  }
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMaxListed; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kMaxListed) absl::StrAppend(&text, ", ... (", names.size(), " in all)");
  return text;
}

}  // namespace evenkeel::guard
