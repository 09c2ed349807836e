// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_TRAFFIC_RETURNED_H_
#define EVENKEEL_CONTROL_TRAFFIC_RETURNED_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bpf/abi/maps.h"
#include "control/dataplane/dataplane.h"
#include "control/publish/probe.h"

namespace evenkeel::traffic {

// A packet that the balancer encapsulated, and that came back in an ICMP error: whoever should have
// it did not take it.
struct Returned {
  model::IpAddress from;  // who says so
  std::string what;       // "protocol unreachable"
  // Of the outer headers that are quoted.
  model::IpAddress source, server;
  uint8_t method = EK_METHOD_NONE;
  uint16_t source_port = 0;  // GUE
  publish::Flow flow;        // of the packet inside
};

// `packet`: an IP packet, from its header on. nullopt: it is not ICMP "destination unreachable"
// (RFC 792, RFC 4443; "fragmentation needed" says nothing about the server) or ICMPv6 "unrecognized
// next header", or it does not quote as much of an encapsulated packet as names its flow.
std::optional<Returned> ParseReturned(std::span<const uint8_t> packet, uint16_t gue_port);

// Whether the outer headers are those that the balancer makes for this hash of the flow. The hash
// is keyed: who has not seen the packet can only guess them.
bool IsOurs(const Returned& returned, uint64_t hash, const dataplane::Encapsulation& encapsulation);

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_RETURNED_H_
