// SPDX-License-Identifier: Apache-2.0
//
// What one packet finds in the kernel's maps: single entries, each at the price of a system call or
// two, however large the maps are. Nothing is changed by a look: counters, limits, pins, the "used"
// mark of slots, and the age of entries in LRU maps are as before.
#ifndef EVENKEEL_CONTROL_DATAPLANE_LOOKUPS_H_
#define EVENKEEL_CONTROL_DATAPLANE_LOOKUPS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "control/dataplane/dataplane.h"

namespace evenkeel::dataplane {

struct ActiveGeneration {
  uint32_t word = EK_ACTIVE_NONE;  // NONE: nothing is published, and the rest is empty
  uint32_t generation = 0;
  ek_gen_info info{};
};

// When the next one is due at the permitted rate; now and these in ns of CLOCK_MONOTONIC_COARSE.
struct LimitClock {
  uint64_t now = 0;
  uint64_t source_due = 0;    // of the source at this VIP; 0: none of its packets was counted yet
  uint64_t new_flow_due = 0;  // of the VIP's new flows
};

// To be used by the publisher's lock holder, as a DataPlane is.
class Lookups {
 public:
  virtual ~Lookups() = default;

  virtual absl::StatusOr<ActiveGeneration> FindActive() = 0;
  // The service of exactly this key.
  virtual absl::StatusOr<std::optional<VipImage>> FindVip(uint32_t generation,
                                                          const VipKey& key) = 0;
  // As the longest prefix says. NotFound: no such set.
  virtual absl::StatusOr<bool> IsDenied(uint32_t rule_set, const model::IpAddress& source) = 0;
  virtual absl::StatusOr<LimitClock> FindLimits(uint32_t vip_counter,
                                                const model::IpAddress& source) = 0;
  // The word of a slot. NotFound: no such table. OutOfRange: no such slot.
  virtual absl::StatusOr<uint32_t> FindSlot(uint32_t table, uint32_t table_size, uint32_t slot) = 0;
  // Method NONE where there is no such backend.
  virtual absl::StatusOr<BackendImage> FindBackend(uint32_t table, uint32_t table_size,
                                                   uint16_t id) = 0;
  virtual absl::StatusOr<ServerIds> FindServerIds(uint32_t table, uint32_t table_size) = 0;
  // Of the flow with this hash: established before opening, as packets ask.
  virtual absl::StatusOr<std::optional<Pin>> FindPin(uint64_t flow) = 0;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_LOOKUPS_H_
