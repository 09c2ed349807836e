// SPDX-License-Identifier: Apache-2.0
//
// What the host's links, routes and neighbours mean for one backend. Pure.
#ifndef EVENKEEL_CONTROL_NEIGHBOR_EVALUATE_H_
#define EVENKEEL_CONTROL_NEIGHBOR_EVALUATE_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "control/neighbor/neighbor.h"

namespace evenkeel::neighbor {

struct Link {
  std::string name;
  dataplane::MacAddress mac{};
  bool ethernet = false;
  bool up = false;       // administratively
  bool carrier = false;  // operationally
  uint32_t mtu = 0;

  bool usable() const { return up && carrier; }
  friend bool operator==(const Link&, const Link&) = default;
};

struct Neighbor {
  enum class State { kPending, kUsable, kFailed } state = State::kPending;
  dataplane::MacAddress mac{};
  bool stale = false;  // usable, but to be confirmed

  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

// The kernel's answer to "how would you send to this address?".
struct Route {
  enum class Kind { kNone, kUnicast, kLocal } kind = Kind::kNone;
  uint32_t ifindex = 0;
  std::optional<model::IpAddress> gateway;
  uint32_t mtu = 0;  // 0: the link's

  friend bool operator==(const Route&, const Route&) = default;
};

using NeighborKey = std::pair<uint32_t, model::IpAddress>;  // ifindex, next hop's address

struct Host {
  std::map<uint32_t, Link> links;
  std::map<NeighborKey, Neighbor> neighbors;
};

// Whose MAC address is needed; nullopt where the route leads nowhere.
std::optional<NeighborKey> NextHopKey(const model::IpAddress& address, const Route& route);

struct Evaluation {
  Resolution resolution;
  // The neighbour was asked and has neither answered nor failed to: `resolution` still says what
  // was known before, if that could still be right.
  bool pending = false;
};

// `before` is the last resolution (may be null): it tells an interface that went down, with its
// routes, from a route that never was, and bridges the time until a new next hop answers.
Evaluation Evaluate(const model::IpAddress& address, const Route& route, const Host& host,
                    const Resolution* before);

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_EVALUATE_H_
