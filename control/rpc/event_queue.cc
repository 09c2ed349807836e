// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/event_queue.h"

#include <utility>

namespace evenkeel::rpc {

void EventQueue::Push(engine::Event event) {
  std::lock_guard lock(mutex_);
  if (lost_ > 0 || events_.size() >= kCapacity) {
    ++lost_;
  } else {
    events_.push_back(std::move(event));
  }
  changed_.notify_one();
}

std::optional<engine::Event> EventQueue::Pop(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return closed_ || lost_ > 0 || !events_.empty(); });
  if (closed_ || events_.empty()) return std::nullopt;
  engine::Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void EventQueue::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool EventQueue::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

size_t EventQueue::lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace evenkeel::rpc
