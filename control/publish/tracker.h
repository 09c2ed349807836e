// SPDX-License-Identifier: Apache-2.0
//
// When a slot that changes hands may be closed: the bookkeeping of one pool's slots between sweeps.
// Pure; times are in units of dataplane::Pin::seen.
#ifndef EVENKEEL_CONTROL_PUBLISH_TRACKER_H_
#define EVENKEEL_CONTROL_PUBLISH_TRACKER_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "control/dataplane/dataplane.h"

namespace evenkeel::publish {

// In units of dataplane::Pin::seen, rounded up.
constexpr uint32_t SeenUnits(std::chrono::nanoseconds time) {
  return static_cast<uint32_t>((time.count() >> EK_SEEN_SHIFT) + 1);
}

// How long a flow without packets counts as alive.
struct FlowTimeouts {
  uint32_t idle = 840;    // 15 minutes
  uint32_t opening = 56;  // a minute: nothing but its first packet was seen
  uint32_t closing = 10;  // after FIN or RST
};

bool IsAlive(const dataplane::Pin& pin, uint32_t now, const FlowTimeouts& timeouts);

class Tracker {
 public:
  explicit Tracker(uint32_t table_size)
      : since_(table_size), used_(table_size), tracked_(table_size) {}

  uint32_t table_size() const { return static_cast<uint32_t>(since_.size()); }

  // The words of a former table of the pool: packets may have used it after the last sweep.
  void NoteUsed(std::span<const uint32_t> words, uint32_t now);
  // The same at the moment when another table takes its place. No sweep may have seen it, and in
  // slots that were tracked in it flows went to the owner without a trace: it was in use till now.
  void NoteReplaced(std::span<const uint32_t> words, uint32_t now);

  struct Sweep {
    std::vector<dataplane::PreviousOwner> changes;
    uint32_t moving = 0;        // slots with a previous owner, before `changes`
    uint32_t oldest_since = 0;  // when the first of them began to move; 0: none does
  };
  struct Times {
    uint32_t read = 0;  // before pins and words were read: what is idle, is so since then
    uint32_t now = 0;   // after: what was used, was so at most till then
  };
  // `words` as the data plane gave them out, EK_SLOT_USED included. `away[slot]`: some pin of the
  // slot names another backend than the owner; read after the last sweep's changes were made.
  // A slot goes from moving to tracked when its previous owner was not used for the idle time, and
  // from tracked to steady when no pin is away.
  Sweep Next(std::span<const uint32_t> words, const std::vector<bool>& away, Times times,
             const FlowTimeouts& timeouts);

  // Slots that others own, and whose flows from before stay with their previous owner.
  struct Held {
    uint32_t slots = 0;
    uint32_t used = 0;  // of these, through which it got packets since they began to move
  };
  // By the previous owner's pool-local id, up to `ids`; after Next, of the same words.
  std::vector<Held> HeldBy(std::span<const uint32_t> words, size_t ids) const;

 private:
  // 0 for steady slots. A slot met for the first time begins to move now: what came before a
  // restart is not known.
  std::vector<uint32_t> since_;
  // When the previous owner was used last; of tracked slots, when they came to be so.
  std::vector<uint32_t> used_;
  std::vector<bool> tracked_;  // at the last sweep
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_TRACKER_H_
