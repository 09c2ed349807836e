// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PUBLISH_REACH_H_
#define EVENKEEL_CONTROL_PUBLISH_REACH_H_

#include "control/neighbor/neighbor.h"

namespace evenkeel::publish {

// `resolution` as the forwarding method can use it: L2 forwarding changes MAC addresses only, so a
// backend behind a gateway would never see the packet.
inline neighbor::Resolution ForMethod(neighbor::Resolution resolution, uint8_t method) {
  if (method == EK_METHOD_L2 && resolution.next_hop && resolution.gateway) {
    resolution.next_hop.reset();
    resolution.problem = resolution.address.ToString() + " is behind gateway " +
                         resolution.gateway->ToString() +
                         ": forwarding l2 needs it on a directly connected network; use ipip";
  }
  return resolution;
}

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_REACH_H_
