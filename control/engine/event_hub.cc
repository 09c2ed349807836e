// SPDX-License-Identifier: Apache-2.0
#include "control/engine/event_hub.h"

namespace evenkeel::engine {

uint64_t EventHub::Subscribe(EventSink sink) {
  std::lock_guard lock(mutex_);
  const uint64_t id = next_id_++;
  sinks_.emplace(id, std::move(sink));
  return id;
}

void EventHub::Unsubscribe(uint64_t id) {
  std::lock_guard lock(mutex_);
  sinks_.erase(id);
}

void EventHub::Emit(const Event& event) {
  std::lock_guard lock(mutex_);
  for (const auto& [id, sink] : sinks_) sink(event);
}

}  // namespace evenkeel::engine
