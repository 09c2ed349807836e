// SPDX-License-Identifier: Apache-2.0
//
// What health has decided: which servers must not be in which table, what it would like to do and
// may not, and what happened since it was last asked.
#ifndef EVENKEEL_CONTROL_HEALTH_DECISION_H_
#define EVENKEEL_CONTROL_HEALTH_DECISION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/health/states.h"
#include "control/model/config.h"
#include "control/model/ip_address.h"

namespace evenkeel::health {

// One moment on two clocks: decisions are made by the steady one, people read the other.
struct Time {
  int64_t steady_ns = 0;
  int64_t unix_ns = 0;
};

struct Transition {
  std::string pool;
  model::IpAddress server;
  std::vector<std::string> names;  // of its backends, in the order of the configuration
  Health from, to;
  std::string cause;  // never empty
  int64_t unix_ns = 0;
};

// Why a server is not where its health would put it.
enum class Hold {
  kRate,     // LB012: enough were taken out in the last minute
  kPanic,    // LB011, or fewer healthy than must serve
  kMinimum,  // its removal would leave fewer than must serve
  kRefused,  // by the guard; tried again later
};
std::string_view ToString(Hold hold);  // "rate", "panic", "minimum", "refused"

struct Held {
  model::IpAddress server;
  std::vector<std::string> names;
  bool in_table = true;  // false: it is well, and its return was refused
  Hold hold;
  std::string reason;
};

struct Panic {
  int64_t since_unix_ns = 0;
  std::string why;  // "LB011: 3 of 8 servers healthy, at least 50.0 %"
};

// The beginning or the end of a pool's panic.
struct PanicChange {
  std::string pool;
  bool begins;
  std::string why;
  int64_t unix_ns = 0;
};

struct PoolDecision {
  std::string pool;
  std::vector<model::IpAddress> out;  // must not be in the table; ascending
  std::vector<Held> held;             // ascending by address
  std::optional<Panic> panic;
  bool withdraw = false;  // in panic, and the pool wants its VIPs withdrawn
  // Servers that the configuration lets serve but for those that wait, and the healthy of them.
  size_t serving = 0, healthy = 0;
};

struct Decision {
  std::vector<PoolDecision> pools;      // all with a health check, by name
  std::vector<Transition> transitions;  // since the last decision, in order
  std::vector<PanicChange> panics;      // as above

  const PoolDecision* FindPool(std::string_view name) const;
};

// One server, for whoever wants to see it.
struct ServerStatus {
  model::IpAddress server;
  std::vector<std::string> names;
  Health health;
  std::string cause;  // empty where unknown
  bool in_table = true;
  int64_t since_ns = 0;       // steady: since when it is down (or recovering), or up
  int64_t hold_until_ns = 0;  // steady: when it may come back at the earliest; 0: it never was down
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_DECISION_H_
