// SPDX-License-Identifier: Apache-2.0
#include "control/publish/id_pool.h"

namespace evenkeel::publish {

std::optional<uint32_t> IdPool::Acquire() {
  while (!released_.empty()) {
    const uint32_t id = released_.back();
    released_.pop_back();
    if (Take(id)) return id;  // else taken by name since
  }
  while (next_ < used_.size()) {
    if (Take(next_++)) return next_ - 1;
  }
  return std::nullopt;
}

bool IdPool::Take(uint32_t id) {
  if (id >= used_.size() || used_[id]) return false;
  used_[id] = true;
  return true;
}

void IdPool::Release(uint32_t id) {
  used_[id] = false;
  released_.push_back(id);
}

}  // namespace evenkeel::publish
