// SPDX-License-Identifier: Apache-2.0
#include "control/publish/id_pool.h"

namespace evenkeel::publish {

std::optional<uint32_t> IdPool::Acquire(uint64_t kind) {
  const auto alike = released_.find(kind);
  if (alike != released_.end()) {
    if (const auto id = TakeReleased(alike->second)) return id;
  }
  while (next_ < used_.size()) {
    if (Take(next_++)) return next_ - 1;
  }
  for (auto& [other, ids] : released_) {
    if (const auto id = TakeReleased(ids)) return id;
  }
  return std::nullopt;
}

std::optional<uint32_t> IdPool::TakeReleased(std::vector<uint32_t>& ids) {
  while (!ids.empty()) {
    const uint32_t id = ids.back();
    ids.pop_back();
    if (Take(id)) return id;  // else taken by name since
  }
  return std::nullopt;
}

bool IdPool::Take(uint32_t id) {
  if (id >= used_.size() || used_[id]) return false;
  used_[id] = true;
  return true;
}

void IdPool::Release(uint32_t id, uint64_t kind) {
  used_[id] = false;
  released_[kind].push_back(id);
}

}  // namespace evenkeel::publish
