// SPDX-License-Identifier: Apache-2.0
#include "control/model/nearest.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

constexpr size_t kMaxComparedLength = 64;
constexpr size_t kMaxListed = 12;

// Optimal string alignment distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  const auto same = [&](size_t i, size_t j) {
    return absl::ascii_tolower(static_cast<unsigned char>(a[i])) ==
           absl::ascii_tolower(static_cast<unsigned char>(b[j]));
  };
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = d[i - 1][j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string_view Nearest(std::string_view text, std::span<const std::string_view> valid) {
  if (text.size() > kMaxComparedLength) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, text.size() / 3) + 1;
  for (std::string_view candidate : valid) {
    if (candidate.size() > kMaxComparedLength) continue;
    const size_t distance = Distance(text, candidate);
    // Replacing every letter is not a likeness.
    if (distance < best_distance && distance < std::max(text.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view text, std::span<const std::string_view> valid) {
  if (std::string_view nearest = Nearest(text, valid); !nearest.empty()) {
    return absl::StrCat("; did you mean \"", Av(nearest), "\"?");
  }
  if (valid.empty()) return "";
  std::string listed;
  for (std::string_view name : valid.subspan(0, std::min(valid.size(), kMaxListed))) {
    absl::StrAppend(&listed, listed.empty() ? "; valid: " : ", ", Av(name));
  }
  return listed + (valid.size() > kMaxListed ? ", ..." : "");
}

}  // namespace evenkeel::model
