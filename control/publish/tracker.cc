// SPDX-License-Identifier: Apache-2.0
#include "control/publish/tracker.h"

#include <algorithm>

namespace evenkeel::publish {
namespace {

// Packets that read the word before it changed have left by then, and so pin no more.
constexpr uint32_t kSettled = 2;

}  // namespace

bool IsAlive(const dataplane::Pin& pin, uint32_t now, const FlowTimeouts& timeouts) {
  const uint32_t age = now > pin.seen ? now - pin.seen : 0;
  if (pin.opening && !pin.met) return age < timeouts.opening;
  return age < (pin.closing ? timeouts.closing : timeouts.idle);
}

void Tracker::NoteUsed(std::span<const uint32_t> words, uint32_t now) {
  const size_t size = std::min(words.size(), used_.size());
  for (size_t slot = 0; slot < size; ++slot) {
    if (words[slot] & EK_SLOT_USED) used_[slot] = now;
  }
}

void Tracker::NoteReplaced(std::span<const uint32_t> words, uint32_t now) {
  NoteUsed(words, now);
  const size_t size = std::min(words.size(), used_.size());
  for (size_t slot = 0; slot < size; ++slot) {
    const uint16_t previous = EK_SLOT_PREVIOUS(words[slot]);
    if (previous != 0 && previous == EK_SLOT_OWNER(words[slot])) used_[slot] = now;
  }
}

Tracker::Sweep Tracker::Next(std::span<const uint32_t> words, const std::vector<bool>& away,
                             Times times, const FlowTimeouts& timeouts) {
  const auto [read, now] = times;
  Sweep sweep;
  const uint32_t size = static_cast<uint32_t>(std::min(words.size(), since_.size()));
  for (uint32_t slot = 0; slot < size; ++slot) {
    const uint16_t owner = EK_SLOT_OWNER(words[slot]);
    const uint16_t previous = EK_SLOT_PREVIOUS(words[slot]);
    if (previous == 0) {
      since_[slot] = 0;
      tracked_[slot] = false;
      continue;
    }
    ++sweep.moving;
    if (since_[slot] == 0) since_[slot] = used_[slot] = std::max(now, 1u);
    // A table that was published meanwhile may have made it so.
    if (tracked_[slot] != (previous == owner)) used_[slot] = now;
    tracked_[slot] = previous == owner;
    if (sweep.oldest_since == 0 || since_[slot] < sweep.oldest_since) {
      sweep.oldest_since = since_[slot];
    }
    if (previous == owner) {
      if (!away[slot] && read >= used_[slot] + kSettled) {
        sweep.changes.push_back({.slot = slot, .previous = 0});
        since_[slot] = 0;
      }
    } else if (words[slot] & EK_SLOT_USED) {
      used_[slot] = now;
    } else if (owner != 0 && read >= used_[slot] + timeouts.idle) {
      sweep.changes.push_back({.slot = slot, .previous = owner});
      used_[slot] = now;
      tracked_[slot] = true;
    }
  }
  return sweep;
}

std::vector<Tracker::Held> Tracker::HeldBy(std::span<const uint32_t> words, size_t ids) const {
  std::vector<Held> held(ids + 1);
  const size_t size = std::min(words.size(), since_.size());
  for (size_t slot = 0; slot < size; ++slot) {
    const uint16_t previous = EK_SLOT_PREVIOUS(words[slot]);
    if (previous == 0 || previous > ids || previous == EK_SLOT_OWNER(words[slot])) continue;
    ++held[previous].slots;
    if ((words[slot] & EK_SLOT_USED) || used_[slot] > since_[slot]) ++held[previous].used;
  }
  return held;
}

}  // namespace evenkeel::publish
