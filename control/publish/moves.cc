// SPDX-License-Identifier: Apache-2.0
#include "control/publish/moves.h"

#include <algorithm>

namespace evenkeel::publish {

uint32_t NextSlot(uint32_t now, uint16_t owner, const Serving& serving) {
  const uint16_t former = EK_SLOT_OWNER(now);
  const uint16_t previous = EK_SLOT_PREVIOUS(now);
  const auto serves = [&](uint16_t id) { return id != 0 && id < serving.size() && serving[id]; };
  if (previous == 0) {
    // All its flows are the former owner's, and none is pinned.
    const bool moves = former != owner && serves(former);
    return EK_SLOT(owner, moves ? former : 0);
  }
  // Flows without a pin are the previous owner's. Where it can serve no more they are lost, but
  // those of former owners are pinned, so that the slot stays tracked.
  if (serves(previous)) return EK_SLOT(owner, previous);
  if (owner != 0) return EK_SLOT(owner, owner);
  return EK_SLOT(0, serves(former) ? former : 0);  // nobody takes new flows: pins are honoured
}

std::vector<uint32_t> NextSlots(std::span<const uint32_t> now, std::span<const uint16_t> owners,
                                const Serving& serving) {
  std::vector<uint32_t> slots(owners.size());
  for (size_t i = 0; i < owners.size(); ++i) {
    slots[i] =
        now.size() == owners.size() ? NextSlot(now[i], owners[i], serving) : EK_SLOT(owners[i], 0);
  }
  return slots;
}

uint32_t CountMoving(std::span<const uint32_t> slots) {
  return static_cast<uint32_t>(std::count_if(
      slots.begin(), slots.end(), [](uint32_t slot) { return EK_SLOT_PREVIOUS(slot) != 0; }));
}

}  // namespace evenkeel::publish
