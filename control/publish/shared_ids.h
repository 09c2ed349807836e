// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PUBLISH_SHARED_IDS_H_
#define EVENKEEL_CONTROL_PUBLISH_SHARED_IDS_H_

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "control/publish/id_pool.h"

namespace evenkeel::publish {

// Counter ids by what they count. A key keeps its id for as long as anything refers to it, so that
// counters go on across tables and generations.
template <typename Key>
class SharedIds {
 public:
  explicit SharedIds(uint32_t limit) : pool_(limit) {}

  // The key's id, or a free one; one reference more. nullopt: none is free.
  std::optional<uint32_t> Acquire(const Key& key) {
    auto it = entries_.find(key);
    if (it == entries_.end()) {
      const auto id = pool_.Acquire();
      if (!id) return std::nullopt;
      it = entries_.emplace(key, Entry{.id = *id}).first;
    }
    ++it->second.references;
    return it->second.id;
  }

  // As found in the kernel. False: the id is out of range or another key's.
  bool Adopt(const Key& key, uint32_t id) {
    auto it = entries_.find(key);
    if (it == entries_.end()) {
      if (!pool_.Take(id)) return false;
      it = entries_.emplace(key, Entry{.id = id}).first;
    }
    if (it->second.id != id) return false;
    ++it->second.references;
    return true;
  }

  // One reference less. Returns the id if it was the last one: it is nobody's then, but not handed
  // out again before Free(), so that its counter can be cleared in between.
  std::optional<uint32_t> Drop(const Key& key) {
    auto it = entries_.find(key);
    if (it == entries_.end() || --it->second.references > 0) return std::nullopt;
    const uint32_t id = it->second.id;
    entries_.erase(it);
    return id;
  }

  void Free(uint32_t id) { pool_.Release(id); }

  std::optional<uint32_t> Find(const Key& key) const {
    const auto it = entries_.find(key);
    if (it == entries_.end()) return std::nullopt;
    return it->second.id;
  }
  uint32_t References(const Key& key) const {
    const auto it = entries_.find(key);
    return it == entries_.end() ? 0 : it->second.references;
  }
  bool used(uint32_t id) const { return pool_.used(id); }
  uint32_t limit() const { return pool_.limit(); }

 private:
  struct Entry {
    uint32_t id = 0;
    uint32_t references = 0;
  };
  absl::flat_hash_map<Key, Entry> entries_;
  IdPool pool_;
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_SHARED_IDS_H_
