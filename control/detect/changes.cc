// SPDX-License-Identifier: Apache-2.0
#include "control/detect/changes.h"

#include <algorithm>
#include <utility>

namespace evenkeel::detect {
namespace {

constexpr size_t kKeptChanges = 256, kKeptHealth = 1024;
constexpr size_t kShown = 3, kShownHealth = 8;

bool Concerns(const Change& change, const std::string& pool) {
  return pool.empty() || change.pools.empty() ||
         std::find(change.pools.begin(), change.pools.end(), pool) != change.pools.end();
}

// They come in order but for a few that waited.
template <typename T>
void Insert(std::deque<T>& list, T item, size_t kept) {
  const auto place = std::find_if(list.begin(), list.end(),
                                  [&](const T& other) { return other.unix_ns <= item.unix_ns; });
  list.insert(place, std::move(item));
  if (list.size() > kept) list.pop_back();
}

}  // namespace

void Changes::Note(Change change) { Insert(changes_, std::move(change), kKeptChanges); }
void Changes::Note(HealthChange change) { Insert(health_, std::move(change), kKeptHealth); }

std::vector<Change> Changes::Of(const std::string& pool, int64_t from, int64_t until) const {
  std::vector<Change> found;
  for (const Change& change : changes_) {
    if (change.unix_ns > until || !Concerns(change, pool)) continue;
    if (found.size() == kShown || (change.unix_ns < from && !found.empty())) break;
    found.push_back(change);
    if (change.unix_ns < from) break;
  }
  return found;
}

std::vector<HealthChange> Changes::HealthOf(const std::string& pool, int64_t from,
                                            int64_t until) const {
  std::vector<HealthChange> found;
  for (const HealthChange& change : health_) {
    if (change.unix_ns < from || found.size() == kShownHealth) break;
    if (change.unix_ns > until || (!pool.empty() && change.pool != pool)) continue;
    found.push_back(change);
  }
  return found;
}

}  // namespace evenkeel::detect
