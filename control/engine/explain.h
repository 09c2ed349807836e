// SPDX-License-Identifier: Apache-2.0
//
// What becomes of packets: asked by name or address, told by every decision.
#ifndef EVENKEEL_CONTROL_ENGINE_EXPLAIN_H_
#define EVENKEEL_CONTROL_ENGINE_EXPLAIN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/model/config.h"
#include "control/publish/explain.h"

namespace evenkeel::engine {

// One packet, as small as can be. Its VIP is named, or its destination is given.
struct ExplainPacket {
  model::IpAddress source{};
  uint16_t source_port = 0;
  std::string vip{};
  std::optional<model::IpAddress> address{};
  uint16_t port = 0;  // 0: the VIP's own, where it is named and has one
  model::Protocol protocol = model::Protocol::kTcp;  // with `address`
  bool opening = false;  // TCP: a SYN, else an ACK; QUIC without payload: an Initial
  // Of UDP, at most kMaxExplainPayload. QUIC without one: a packet whose connection id names
  // nobody.
  std::vector<uint8_t> payload{};
};
inline constexpr size_t kMaxExplainPayload = 64;

// 1 to publish::kMaxExplained packets.
struct ExplainRequest {
  std::vector<ExplainPacket> packets;
};

// The revision behind the generation, as the history has it.
struct ExplainedRevision {
  uint64_t revision = 0;  // 0: none is noted
  std::string author{}, reason{}, ticket{};
  int64_t created_unix_ns = 0;
  std::string problem{};  // why the history does not tell; empty: it does
};

struct ExplainReport {
  publish::ExplainResult result;
  ExplainedRevision revision;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_EXPLAIN_H_
