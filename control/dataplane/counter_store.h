// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_COUNTER_STORE_H_
#define EVENKEEL_CONTROL_DATAPLANE_COUNTER_STORE_H_

#include "control/dataplane/dataplane.h"
#include "control/dataplane/kernel_objects.h"

namespace evenkeel::dataplane {

// Sums over the CPUs.
absl::StatusOr<Counters> ReadAllCounters(const KernelObjects& objects, const Limits& limits);

// Packets for VIPs, forwarded or dropped, by the CPU that the program ran on, from 0. They fall
// where a VIP's counter is handed out anew.
absl::StatusOr<std::vector<uint64_t>> ReadCpuPackets(const KernelObjects& objects,
                                                     const Limits& limits);

// Sets counter `id` of ek_vip_stats or ek_be_stats to 0 on every CPU.
absl::Status ClearCounter(const KernelObjects& objects, MapId map, uint32_t id);

// What VIP `id` has used of its limit of new flows.
absl::Status ClearFlowLimit(const KernelObjects& objects, uint32_t id);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_COUNTER_STORE_H_
