// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_INNER_MAPS_H_
#define EVENKEEL_CONTROL_DATAPLANE_INNER_MAPS_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace evenkeel::dataplane {

// Puts the inner maps `fds` into the map of maps `outer` at `ids`, all or none, for the price of
// one grace period where the kernel has the batch operation. The ids were empty, or their maps may
// be lost on an error. `name` of the outer map is for errors.
absl::Status InsertInnerMaps(int outer, std::span<const uint32_t> ids, std::span<const int> fds,
                             absl::string_view name);

// OK where there is none.
absl::Status DeleteInnerMap(int outer, uint32_t id, absl::string_view name);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_INNER_MAPS_H_
