// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_EVENT_HUB_H_
#define EVENKEEL_CONTROL_ENGINE_EVENT_HUB_H_

#include <cstdint>
#include <map>
#include <mutex>

#include "control/engine/engine.h"

namespace evenkeel::engine {

// Hands events to every subscriber, in one order for all. Thread-safe; a sink must not call back.
class EventHub {
 public:
  uint64_t Subscribe(EventSink sink);
  // When it returns, the sink is not running and never runs again.
  void Unsubscribe(uint64_t id);
  void Emit(const Event& event);

 private:
  std::mutex mutex_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, EventSink> sinks_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_EVENT_HUB_H_
