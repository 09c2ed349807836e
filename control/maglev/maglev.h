// SPDX-License-Identifier: Apache-2.0
//
// Weighted Maglev lookup tables (Eisenbud et al., "Maglev: A Fast and Reliable Software Network
// Load Balancer", NSDI 2016, section 3.4), with exact slot quotas: weights are normalised to whole
// slots by largest remainder, so a share is right to one slot whatever the weights' scale.
#ifndef EVENKEEL_CONTROL_MAGLEV_MAGLEV_H_
#define EVENKEEL_CONTROL_MAGLEV_MAGLEV_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace evenkeel::maglev {

// The fleet's secret: 128 bits, the same on every balancer of the fleet.
using HashKey = std::array<uint8_t, 16>;

struct Member {
  std::string id;       // identity of the server; unique within a set, not empty
  uint64_t weight = 0;  // any scale, above 0
};

inline constexpr uint16_t kNoOwner = 0xffff;

struct Table {
  // Per slot the index of its owner in the set as sorted by id (bytewise). All kNoOwner where the
  // set is empty.
  std::vector<uint16_t> owner;
  // Slots per member, in the same order: what the weights ask for, summing to the table's size.
  std::vector<uint32_t> quota;
};

// Slots for each weight, summing to `size` (largest remainder; ties go to the lower index).
// With size >= weights.size() every weight above 0 gets at least one slot.
std::vector<uint32_t> Quotas(std::span<const uint64_t> weights, uint32_t size);

// A pure function of the set, `size` and `key`: any order of `members` gives the same table.
// InvalidArgument: duplicate or empty id, weight 0, size not prime, more members than slots.
absl::StatusOr<Table> Build(std::span<const Member> members, uint32_t size, const HashKey& key);

bool IsPrime(uint32_t n);

}  // namespace evenkeel::maglev

#endif  // EVENKEEL_CONTROL_MAGLEV_MAGLEV_H_
