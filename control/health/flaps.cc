// SPDX-License-Identifier: Apache-2.0
#include "control/health/flaps.h"

#include <algorithm>

namespace evenkeel::health {

void Flaps::Rest(int64_t up_ns) {
  const int64_t windows = std::max<int64_t>(0, up_ns) / dampening_.window_ns;
  doublings_ = static_cast<int>(std::max<int64_t>(0, doublings_ - windows));
}

int64_t Flaps::Fall() {
  hold_ns_ = dampening_.min_hold_ns;
  for (int i = 0; i < doublings_ && hold_ns_ < dampening_.max_hold_ns; ++i) hold_ns_ *= 2;
  // What doubles no longer is not counted: it would have to be taken back, too.
  if (hold_ns_ < dampening_.max_hold_ns) ++doublings_;
  hold_ns_ = std::min(hold_ns_, dampening_.max_hold_ns);
  return hold_ns_;
}

}  // namespace evenkeel::health
