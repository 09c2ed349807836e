// SPDX-License-Identifier: Apache-2.0
//
// Which VIPs this host can serve now, and why not. Reads nothing but its arguments.
#ifndef EVENKEEL_CONTROL_DAEMON_SERVING_H_
#define EVENKEEL_CONTROL_DAEMON_SERVING_H_

#include <functional>
#include <string>
#include <vector>

#include "control/advertise/plan.h"
#include "control/engine/evaluate.h"
#include "control/engine/withdrawals.h"
#include "control/neighbor/neighbor.h"

namespace evenkeel::daemon {

struct PoolServing {
  advertise::Serving serving = advertise::Serving::kYes;
  std::string why;  // unless kYes
};

// What is asked beside the state.
struct ServingSources {
  // By the probes, of a pool that has a health check.
  std::function<PoolServing(const std::string& pool)> health;
  std::function<neighbor::Resolution(const model::IpAddress&)> resolve;
  bool attached = true;  // to an interface, by this daemon
};

// Of all VIPs that are published, in their order; where it is not known what is, of those in force.
// What is not known, as for seconds after a start, is kUnknown: a former daemon's routes stay.
std::vector<advertise::VipView> ServingOf(const engine::State& state,
                                          const engine::Withdrawals& withdrawals,
                                          const ServingSources& sources);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_SERVING_H_
