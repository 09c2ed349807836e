// SPDX-License-Identifier: Apache-2.0
//
// Packets as they are named on the command line. InvalidArgument says how to write it.
#ifndef EVENKEEL_CONTROL_CLI_PACKET_SPEC_H_
#define EVENKEEL_CONTROL_CLI_PACKET_SPEC_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/engine/explain.h"

namespace evenkeel::cli {

// `source`: "198.51.100.7:4711", "[2001:db8::7]:4711". `vip`: "192.0.2.10:443/tcp",
// "[2001:db8::10]:443/quic", or a name, "web" or "web:443". Opening, without payload.
absl::StatusOr<engine::ExplainPacket> ParsePacket(const std::string& source,
                                                  const std::string& vip);

// What a QUIC packet with a short header and this connection id, 1 to 20 bytes in hex, begins with.
absl::StatusOr<std::vector<uint8_t>> ParseConnectionId(const std::string& hex);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PACKET_SPEC_H_
