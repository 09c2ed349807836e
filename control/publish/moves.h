// SPDX-License-Identifier: Apache-2.0
//
// Slots that change hands (docs/adr/0005-track-what-moves.md). Pure.
#ifndef EVENKEEL_CONTROL_PUBLISH_MOVES_H_
#define EVENKEEL_CONTROL_PUBLISH_MOVES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/abi/maps.h"

namespace evenkeel::publish {

// Which pool-local ids have an entry in the new table, and so can serve flows that they have.
using Serving = std::vector<bool>;  // by id

// The word of a slot that `owner` (0: nobody) gets, when its word is `now`.
uint32_t NextSlot(uint32_t now, uint16_t owner, const Serving& serving);

// Of a whole table; `now` is empty where there is none, or one of another size, to move from.
std::vector<uint32_t> NextSlots(std::span<const uint32_t> now, std::span<const uint16_t> owners,
                                const Serving& serving);

// Slots with a previous owner.
uint32_t CountMoving(std::span<const uint32_t> slots);

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_MOVES_H_
