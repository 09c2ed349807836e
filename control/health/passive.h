// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HEALTH_PASSIVE_H_
#define EVENKEEL_CONTROL_HEALTH_PASSIVE_H_

#include <cstdint>
#include <string>

#include "control/health/server_health.h"
#include "control/model/config.h"

namespace evenkeel::health {

// What became of a server's packets in one round.
struct PassiveRound {
  uint64_t forwarded = 0;     // to it
  uint64_t returned = 0;      // of these, known to have come back in an ICMP error
  std::string last_error{};   // the last of them: "protocol unreachable from 10.0.1.11"
  std::string no_next_hop{};  // why there was none at its end: "no route to 10.0.1.11"; or empty
};

// A server without packets is well: nothing speaks against it.
ProbeResult JudgePassive(const model::PassiveSignal& signal, const PassiveRound& round);

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_PASSIVE_H_
