// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_EVENT_QUEUE_H_
#define EVENKEEL_CONTROL_RPC_EVENT_QUEUE_H_

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "control/engine/engine.h"

namespace evenkeel::rpc {

// Between the engine, which must not wait, and one watcher, which may not read. Thread-safe.
class EventQueue {
 public:
  static constexpr size_t kCapacity = 256;

  // Never blocks. When the queue is full, the event is lost and the queue is overflown for good.
  void Push(engine::Event event);
  // The next event; nothing after `timeout`, or when closed, or when overflown and empty.
  std::optional<engine::Event> Pop(std::chrono::milliseconds timeout);
  // Wakes whoever waits.
  void Close();

  bool closed() const;
  size_t lost() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<engine::Event> events_;
  size_t lost_ = 0;
  bool closed_ = false;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_EVENT_QUEUE_H_
