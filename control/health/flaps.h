// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HEALTH_FLAPS_H_
#define EVENKEEL_CONTROL_HEALTH_FLAPS_H_

#include <cstdint>

namespace evenkeel::health {

// A server that went down stays so for the hold, which doubles with each time that it goes down
// again. A window in which it was up takes one doubling back.
struct Dampening {
  int64_t min_hold_ns = 5'000'000'000;
  int64_t max_hold_ns = 300'000'000'000;
  int64_t window_ns = 600'000'000'000;
};

// How often one server went down lately. Pure.
class Flaps {
 public:
  explicit Flaps(const Dampening& dampening) : dampening_(dampening) {}

  // It was up for so long.
  void Rest(int64_t up_ns);
  // It goes down: for how long at least.
  int64_t Fall();
  // The hold of the last fall; 0: there was none.
  int64_t hold_ns() const { return hold_ns_; }

 private:
  Dampening dampening_;
  int64_t hold_ns_ = 0;
  int doublings_ = 0;  // of the next hold
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_FLAPS_H_
