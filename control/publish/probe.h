// SPDX-License-Identifier: Apache-2.0
//
// Synthetic packets, and what must become of them. The prediction is made from what the guard
// approved and from the protocols' definitions, not from the bytes or the code that filled the
// maps: it is the second opinion on both.
#ifndef EVENKEEL_CONTROL_PUBLISH_PROBE_H_
#define EVENKEEL_CONTROL_PUBLISH_PROBE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "control/dataplane/dataplane.h"

namespace evenkeel::publish {

struct Flow {
  model::IpAddress source, destination;  // of one family
  uint16_t source_port = 0, destination_port = 0;
  uint8_t ip_protocol = 0;         // IPPROTO_TCP or IPPROTO_UDP
  bool opening = false;            // TCP: the packet is a SYN, else an ACK
  std::vector<uint8_t> payload{};  // of UDP
};

// The `number`-th client of `vip`; distinct for distinct numbers below 2^28. `port` stands for
// VIPs with port 0.
Flow ClientFlow(const dataplane::VipKey& vip, uint32_t number, uint16_t port);

// Hash of the flow under the key of the data plane, for a VIP with these flags (EK_VIP_*): its low
// half leads to the slot.
uint64_t HashFlow(const std::array<uint64_t, 2>& key, const Flow& flow, uint32_t vip_flags);
uint32_t SlotOf(uint64_t hash, uint32_t table_size);

// A minimal TCP (ACK, or SYN) or UDP packet of the flow in an Ethernet frame, with this TTL or hop
// limit.
std::vector<uint8_t> BuildFrame(const Flow& flow, uint8_t ttl = 64);

struct Expectation {
  bool forwarded = false;       // else dropped
  std::vector<uint8_t> packet;  // if forwarded
};

// What the program must do with BuildFrame(flow) when its slot's owner is `backend`; null: nobody.
Expectation Predict(const Flow& flow, uint64_t hash, uint32_t vip_flags,
                    const dataplane::BackendImage* backend,
                    const dataplane::Encapsulation& encapsulation);

// OK or how `result` differs, in words.
absl::Status Compare(const Expectation& expected, const dataplane::ProbeResult& result);

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_PROBE_H_
