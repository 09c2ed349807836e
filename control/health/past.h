// SPDX-License-Identifier: Apache-2.0
//
// What a daemon knows of flaps and removals from before its start: from the record of who went out
// of the tables and who came back. Pure.
//
// The record has the time of people, whose clock may have been set since. By that a hold may be
// forgotten, but none becomes longer than it was; and a removal may be forgotten, but none counts
// for more than a minute from now on, and none makes room for another.
#ifndef EVENKEEL_CONTROL_HEALTH_PAST_H_
#define EVENKEEL_CONTROL_HEALTH_PAST_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "control/health/flaps.h"
#include "control/model/ip_address.h"

namespace evenkeel::health {

// So far back it is of use: longer than any hold and what it takes to forget it.
inline constexpr int64_t kPastNs = 24 * 3'600'000'000'000;

// A server left its pool's table by its health, or came back to it.
struct Move {
  std::string pool;
  model::IpAddress server;
  bool out = false;
  int64_t unix_ns = 0;
};

struct PoolPast {
  struct Server {
    Flaps flaps;
    int64_t hold_left_ns = 0;  // of one that is out
  };
  struct Removal {
    model::IpAddress server;
    int64_t ago_ns = 0;
  };
  std::map<model::IpAddress, Server> servers;  // that went out
  std::vector<Removal> removals;               // of the last minute (LB012)
};
using Past = std::map<std::string, PoolPast>;  // by pool

// `moves` in the order in which they were recorded.
Past Recall(std::span<const Move> moves, const Dampening& dampening, int64_t now_unix_ns);

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_PAST_H_
