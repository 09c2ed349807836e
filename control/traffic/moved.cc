// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/moved.h"

#include <algorithm>

namespace evenkeel::traffic {
namespace {

// By server of `then`: its index in `now`, or one that no server there has.
std::vector<size_t> IndexIn(const guard::BuiltTable& now, const guard::BuiltTable& then) {
  std::vector<size_t> result;
  for (const model::IpAddress& server : then.servers) {
    const auto at = std::lower_bound(now.servers.begin(), now.servers.end(), server);
    const bool there = at != now.servers.end() && *at == server;
    result.push_back(there ? static_cast<size_t>(at - now.servers.begin()) : maglev::kNoOwner);
  }
  return result;
}

double Part(uint64_t moved, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(moved) / static_cast<double>(all);
}

// Walks both tables at once over the range of the hash, in units that divide the slots of both.
std::vector<double> Walk(const guard::BuiltTable& now, const guard::BuiltTable& then) {
  const std::vector<size_t> index = IndexIn(now, then);
  std::vector<uint64_t> moved(now.servers.size()), all(now.servers.size());
  const uint64_t step_now = then.owner.size(), step_then = now.owner.size();
  uint64_t at = 0;
  for (size_t i = 0, j = 0; i < now.owner.size() && j < then.owner.size();) {
    const uint64_t end_now = (i + 1) * step_now, end_then = (j + 1) * step_then;
    const uint64_t end = std::min(end_now, end_then);
    if (const uint16_t owner = now.owner[i]; owner != maglev::kNoOwner) {
      const uint16_t next = then.owner[j];
      all[owner] += end - at;
      if (next == maglev::kNoOwner || index[next] != owner) moved[owner] += end - at;
    }
    at = end;
    i += end == end_now;
    j += end == end_then;
  }
  std::vector<double> parts;
  for (size_t i = 0; i < moved.size(); ++i) parts.push_back(Part(moved[i], all[i]));
  return parts;
}

}  // namespace

std::vector<double> MovedParts(const guard::BuiltTable& now, const guard::BuiltTable& then,
                               bool same_hash) {
  if (then.owner.empty()) return std::vector<double>(now.servers.size(), 1.0);
  if (same_hash) return Walk(now, then);
  std::vector<double> parts(now.servers.size(), 1.0);
  const std::vector<size_t> index = IndexIn(now, then);
  const std::vector<uint32_t> slots = then.CountSlots();
  for (size_t i = 0; i < index.size(); ++i) {
    if (index[i] < parts.size()) parts[index[i]] -= Part(slots[i], then.owner.size());
  }
  return parts;
}

}  // namespace evenkeel::traffic
