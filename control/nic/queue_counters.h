// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_NIC_QUEUE_COUNTERS_H_
#define EVENKEEL_CONTROL_NIC_QUEUE_COUNTERS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/nic/nic.h"

namespace evenkeel::nic {

// The receive queue that a driver's statistic counts packets of, by its name: "rx_queue_3_packets",
// "rx-3.packets", "rx3_packets", "queue_3_rx_cnt", "[3]: rx_ucast_packets", and what XDP took of
// it. nullopt: it counts something else.
std::optional<uint32_t> RxQueueOf(std::string_view statistic);

// Packets by receive queue, as its driver counts them (ethtool -S); empty: it does not. A driver
// that counts in two places what XDP takes counts that of all queues twice.
std::map<uint32_t, uint64_t> ReadQueueCounters(const std::string& interface,
                                               const Ethtool& ask = AskKernel);

}  // namespace evenkeel::nic

#endif  // EVENKEEL_CONTROL_NIC_QUEUE_COUNTERS_H_
