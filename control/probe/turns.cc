// SPDX-License-Identifier: Apache-2.0
#include "control/probe/turns.h"

#include <utility>

namespace evenkeel::probe {

void Turns::RemoveTarget(const std::string& pool) {
  const auto it = pools_.find(pool);
  if (--it->second.targets > 0) return;
  waiting_ -= it->second.waiting.size();
  std::erase(round_, pool);
  pools_.erase(it);
}

void Turns::Push(const std::string& pool, TargetId id, Nanos due) {
  Pool& queue = pools_.at(pool);
  if (queue.waiting.empty()) round_.push_back(pool);
  queue.waiting.push_back({.id = id, .due = due, .pushed_in = sweeps_});
  ++waiting_;
}

// At most as many as are free: one pool has half of the sockets then, two have a third each, and so
// on, and there are always some for one that has none.
bool Turns::MayBegin(const Pool& pool) const {
  const size_t free = sockets_ - running_;
  return free > 0 && (pools_.size() == 1 || pool.running < free);
}

std::optional<Turns::Waiting> Turns::Next() {
  for (size_t tried = 0, count = round_.size(); tried < count; ++tried) {
    std::string name = std::move(round_.front());
    round_.pop_front();
    Pool& pool = pools_.at(name);
    if (!MayBegin(pool)) {
      round_.push_back(std::move(name));
      continue;
    }
    const Queued next = pool.waiting.front();
    pool.waiting.pop_front();
    if (!pool.waiting.empty()) round_.push_back(std::move(name));
    --waiting_;
    ++pool.running;
    ++running_;
    return Waiting{.id = next.id, .due = next.due, .waited = next.pushed_in != sweeps_};
  }
  ++sweeps_;
  return std::nullopt;
}

void Turns::Ended(const std::string& pool) {
  --pools_.at(pool).running;
  --running_;
}

void Turns::KeepIf(const std::function<bool(TargetId)>& wanted) {
  waiting_ = 0;
  for (auto& [name, pool] : pools_) {
    std::erase_if(pool.waiting, [&](const Queued& queued) { return !wanted(queued.id); });
    waiting_ += pool.waiting.size();
  }
  std::erase_if(round_, [&](const std::string& name) { return pools_.at(name).waiting.empty(); });
}

}  // namespace evenkeel::probe
