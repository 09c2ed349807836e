// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_TRAFFIC_FRAME_H_
#define EVENKEEL_CONTROL_TRAFFIC_FRAME_H_

#include <cstdint>
#include <optional>
#include <span>

#include "control/publish/probe.h"

namespace evenkeel::traffic {

// The flow that the data plane takes the frame for, read by its own parser: of an ICMP error, the
// one that is quoted. `head`: its first bytes; `length`: bytes of the whole frame. `payload` has
// the first bytes of a UDP datagram where a QUIC connection id is looked for. nullopt: no TCP or
// UDP, broken, a fragment without ports, or with headers longer than `head`.
std::optional<publish::Flow> ParseFrame(std::span<const uint8_t> head, uint32_t length);

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_FRAME_H_
