// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PUBLISH_ID_POOL_H_
#define EVENKEEL_CONTROL_PUBLISH_ID_POOL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace evenkeel::publish {

// Ids 0..limit-1. What was released last is handed out first: its memory in the kernel is kept for
// that, and fits what is of the same `kind`. Other kinds' ids come last.
class IdPool {
 public:
  explicit IdPool(uint32_t limit) : used_(limit, false) {}

  // nullopt: none is free.
  std::optional<uint32_t> Acquire(uint64_t kind = 0);
  // False: out of range or not free.
  bool Take(uint32_t id);
  void Release(uint32_t id, uint64_t kind = 0);
  bool used(uint32_t id) const { return id < used_.size() && used_[id]; }
  uint32_t limit() const { return static_cast<uint32_t>(used_.size()); }

 private:
  std::optional<uint32_t> TakeReleased(std::vector<uint32_t>& ids);

  std::vector<bool> used_;
  std::map<uint64_t, std::vector<uint32_t>> released_;  // by kind
  uint32_t next_ = 0;  // all below were handed out or taken at some time
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_ID_POOL_H_
