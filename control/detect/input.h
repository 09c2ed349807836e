// SPDX-License-Identifier: Apache-2.0
//
// What the detector is told: what packets are to be seen as (the plan), what the counters say (a
// reading), who changed what, and samples of flows.
#ifndef EVENKEEL_CONTROL_DETECT_INPUT_H_
#define EVENKEEL_CONTROL_DETECT_INPUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/model/ip_address.h"

namespace evenkeel::detect {

struct Time {
  int64_t steady_ns = 0;  // never set back
  int64_t unix_ns = 0;
};

// What decides the slot of a packet. All but connections come in clusters: one client, or one
// port, may be most of the traffic, and go to one server by right.
enum class Spread { kConnection, kSource, kPort };

struct ServerPlan {
  model::IpAddress address;
  std::string name;
  // Of the pool, 0..1: what weights ask for now (of who starts slowly, its present part), and what
  // the table that the guard approved has. Both 0: it drains, or is disabled.
  double intended = 0;
  double built = 0;
  // The largest share that the pool's policy lets it have (LB001); 0: by the number of servers.
  double limit = 0;
};

// One pool as packets see it since a generation. Servers ascend by address, each once.
struct PoolPlan {
  std::string pool;
  uint64_t revision = 0;
  uint32_t generation = 0;  // that brought the shares; a slow start makes many to one revision
  int64_t since_unix_ns = 0;
  uint32_t table_size = 65537;
  Spread spread = Spread::kConnection;
  bool counts_flows = true;     // false: plain UDP alone, which has no packet that opens a flow
  bool single_backend = false;  // declared: one server may have everything
  std::vector<ServerPlan> servers;
};

enum class Health { kUnknown, kUp, kDown };

struct ServerReading {
  model::IpAddress address;
  uint64_t packets = 0, bytes = 0, new_flows = 0;  // counters; one that falls begins anew
  Health health = Health::kUnknown;
  std::optional<double> kernel{};  // share of the table as read back from the kernel
};

enum class Readback { kUnknown, kMatches, kDiffers };

struct PoolReading {
  std::string pool;
  uint32_t generation = 0;  // in force when the counters were read; of another plan: not judged
  Readback readback = Readback::kUnknown;  // digest of the kernel's table against the plan's
  uint32_t moving_slots = 0;
  std::vector<ServerReading> servers;  // fastest in the plan's order
};

// A way into this host, or (kHost) one of the balancers beside it.
struct LaneReading {
  enum class Kind { kQueue, kCpu, kInterface, kHost };
  Kind kind = Kind::kQueue;
  std::string name;
  uint64_t packets = 0;  // counter
};

struct Reading {
  std::vector<PoolReading> pools;  // fastest in the plan's order
  std::vector<LaneReading> lanes;  // those that are to get equal parts; none: not known
};

// One packet that was seen, standing for `packets`.
struct FlowSample {
  std::string pool;
  model::IpAddress server, source;
  uint16_t source_port = 0, destination_port = 0;
  uint8_t ip_protocol = 0;
  bool opening = false;  // TCP SYN without ACK, QUIC Initial
  uint64_t packets = 1, bytes = 0;
};

// Of configuration.
struct Change {
  uint64_t revision = 0;
  std::string author, reason, summary;
  int64_t unix_ns = 0;
  std::vector<std::string> pools;  // concerned; empty: all
  std::string undo;                // command; empty: there is none
};

struct HealthChange {
  std::string pool, name;
  model::IpAddress server;
  Health to = Health::kUnknown;
  std::string cause;
  int64_t unix_ns = 0;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_INPUT_H_
