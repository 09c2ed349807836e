// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "control/maglev/maglev.h"

namespace evenkeel::maglev {
namespace {

// Weights are 64 bits wide and there may be 65,535 of them: sums and products need 128.
using Wide = unsigned __int128;

// Gives one slot to each member whose weights ask for less than one, and takes those members out
// of `active`. Each pass lowers the slots per weight of the rest, so others may fall below one.
void GrantMinimum(std::span<const uint64_t> weights, std::vector<size_t>& active, Wide& total,
                  uint32_t& slots, std::vector<uint32_t>& quota) {
  for (bool changed = true; changed && !active.empty();) {
    const Wide pass_total = total;
    const uint32_t pass_slots = slots;
    const auto below_one = [&](size_t i) { return Wide{weights[i]} * pass_slots < pass_total; };
    const auto rest = std::stable_partition(active.begin(), active.end(),
                                            [&](size_t i) { return !below_one(i); });
    changed = rest != active.end();
    for (auto it = rest; it != active.end(); ++it) {
      quota[*it] = 1;
      total -= weights[*it];
      --slots;
    }
    active.erase(rest, active.end());
  }
}

}  // namespace

std::vector<uint32_t> Quotas(std::span<const uint64_t> weights, uint32_t size) {
  std::vector<uint32_t> quota(weights.size(), 0);
  std::vector<size_t> active;
  Wide total = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    active.push_back(i);
    total += weights[i];
  }
  if (active.empty()) return quota;
  uint32_t slots = size;
  if (active.size() <= size) GrantMinimum(weights, active, total, slots, quota);

  std::vector<std::pair<Wide, size_t>> remainders;  // what the whole slots left over
  remainders.reserve(active.size());
  uint32_t left = slots;
  for (size_t i : active) {
    const Wide scaled = Wide{weights[i]} * slots;
    quota[i] = static_cast<uint32_t>(scaled / total);
    left -= quota[i];
    remainders.emplace_back(scaled % total, i);
  }
  std::sort(remainders.begin(), remainders.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (uint32_t i = 0; i < left; ++i) ++quota[remainders[i].second];
  return quota;
}

}  // namespace evenkeel::maglev
