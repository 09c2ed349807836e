// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/nexthop_writer.h"

#include <atomic>
#include <cstring>

#include "control/dataplane/image_codec.h"

namespace evenkeel::dataplane {

absl::Status NextHopWriter::Write(uint32_t table, uint16_t id, const std::optional<NextHop>& hop,
                                  ek_backend& entry) {
  std::lock_guard lock(mu_);
  std::atomic_ref<uint8_t> selector(entry.nexthop_sel);
  const uint8_t current = selector.load(std::memory_order_relaxed);
  if (!hop) {
    if (current == 0) return absl::OkStatus();
    selector.store(0, std::memory_order_release);
    settling_.emplace(table, id);
    return absl::OkStatus();
  }
  if (current != 0 && entry.mtu == hop->mtu) {
    const ek_nexthop wanted = EncodeNextHop(*hop);
    if (std::memcmp(&entry.nexthop[current - 1], &wanted, sizeof(wanted)) == 0) {
      return absl::OkStatus();
    }
  }
  if (settling_.contains({table, id})) {
    if (auto status = wait_(); !status.ok()) return status;
    settling_.clear();
  }
  const uint8_t next = current == 1 ? 2 : 1;
  entry.nexthop[next - 1] = EncodeNextHop(*hop);
  // A packet may meet the new MTU with the old next hop: at worst one datagram that is too big, or
  // dropped as such, while the route changes anyway.
  std::atomic_ref<uint16_t>(entry.mtu).store(hop->mtu, std::memory_order_relaxed);
  selector.store(next, std::memory_order_release);
  settling_.emplace(table, id);
  return absl::OkStatus();
}

}  // namespace evenkeel::dataplane
