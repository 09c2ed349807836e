// SPDX-License-Identifier: Apache-2.0
//
// The flows that are pinned while slots move: ek_pins and ek_opening.
#ifndef EVENKEEL_CONTROL_DATAPLANE_FLOW_PINS_H_
#define EVENKEEL_CONTROL_DATAPLANE_FLOW_PINS_H_

#include <optional>
#include <span>
#include <vector>

#include "control/dataplane/dataplane.h"
#include "control/dataplane/kernel_objects.h"

namespace evenkeel::dataplane {

absl::StatusOr<std::vector<Pin>> ReadAllPins(const KernelObjects& objects);

// As packets find it: an established flow before one that opens.
absl::StatusOr<std::optional<Pin>> FindPin(const KernelObjects& objects, uint64_t flow);

// Each from the map that it was read from. One that is gone is none.
absl::Status DeletePins(const KernelObjects& objects, std::span<const Pin> pins);

// As the programs read it.
uint32_t PinClock();

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_FLOW_PINS_H_
