// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_NEXTHOP_WRITER_H_
#define EVENKEEL_CONTROL_DATAPLANE_NEXTHOP_WRITER_H_

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "control/dataplane/dataplane.h"

namespace evenkeel::dataplane {

// Changes the next hop of entries that packets may be using, in the way bpf/abi/maps.h says: the
// unused element is written, then selected with one store; the element left behind is written
// again only after a grace period. Thread-safe.
class NextHopWriter {
 public:
  using Wait = std::function<absl::Status()>;

  // `wait` returns after a grace period.
  explicit NextHopWriter(Wait wait) : wait_(std::move(wait)) {}

  // `entry` is the memory of backend `id` in table `table`.
  absl::Status Write(uint32_t table, uint16_t id, const std::optional<NextHop>& hop,
                     ek_backend& entry);

 private:
  Wait wait_;
  std::mutex mu_;
  // Entries changed since the last grace period: packets may still read the element left behind.
  std::set<std::pair<uint32_t, uint16_t>> settling_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_NEXTHOP_WRITER_H_
