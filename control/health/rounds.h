// SPDX-License-Identifier: Apache-2.0
//
// Several witnesses speak of one server: probes through each VIP, what the network says of its
// packets. A server is well when all of them say so. Pure.
#ifndef EVENKEEL_CONTROL_HEALTH_ROUNDS_H_
#define EVENKEEL_CONTROL_HEALTH_ROUNDS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "control/health/server_health.h"
#include "control/model/ip_address.h"

namespace evenkeel::health {

// So that `rise` and `fall` mean the same however many witnesses there are, a round of them counts
// as one result: one success, once all have had success since the last failure; one failure, of the
// first that fails, and of the others only once one of them fails again.
class Rounds {
 public:
  using Server = std::pair<std::string, model::IpAddress>;  // pool, address
  using Witnesses = std::map<Server, std::set<std::string>>;

  // What was said of those that stay, by the same witnesses, is kept.
  void Configure(const Witnesses& witnesses);

  // What counts as a result of the server now, if anything does. Of a server or witness that is not
  // configured (any more): nothing.
  std::optional<ProbeResult> Note(const Server& server, const std::string& witness,
                                  ProbeResult result);

 private:
  struct State {
    std::set<std::string> witnesses;
    std::set<std::string> well;    // since the last failure or success
    std::set<std::string> failed;  // since the last failure that counted
  };
  std::map<Server, State> servers_;
};

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_ROUNDS_H_
