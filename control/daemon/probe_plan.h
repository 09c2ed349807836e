// SPDX-License-Identifier: Apache-2.0
//
// Who is probed, and how. Pure, but for what it is told of the host.
#ifndef EVENKEEL_CONTROL_DAEMON_PROBE_PLAN_H_
#define EVENKEEL_CONTROL_DAEMON_PROBE_PLAN_H_

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/health/rounds.h"
#include "control/model/config.h"
#include "control/probe/probe.h"

namespace evenkeel::daemon {

// What is asked of the host for probes through VIPs.
struct ProbeHost {
  // The mark that leads to the server; nothing: there is no path.
  std::function<std::optional<uint32_t>(const std::string& pool, const model::IpAddress& server)>
      mark;
  // Why the answer of a server would not come back from a VIP; empty: it does.
  std::function<std::string(const model::IpAddress& vip, const model::IpAddress& server)> fault;
};

struct ProbePlan {
  std::vector<probe::Target> targets;
  health::Rounds::Witnesses witnesses;
  std::set<std::string> unprobed;    // pools whose check has nothing to ask
  std::set<std::string> blind;       // ... that this host can ask of no server, as it stands now
  std::vector<std::string> notices;  // why, and what to do
};

// Each server that may serve, of each pool that has a check, is asked each question of its pool.
ProbePlan PlanProbes(const model::Config& config, const ProbeHost& host);

// The configuration as health is to know it. Of pools that have nothing to ask nothing is ever
// known. Of those that cannot be asked now the last verdicts hold, and who joins waits for nobody.
model::Config WatchedConfig(const model::Config& config, const ProbePlan& plan);

// Of a pool that is checked through VIPs: the servers that may serve.
std::set<model::IpAddress> ServersBehindVips(const model::Pool& pool);

// Who speaks by the results of this target.
std::string WitnessOf(const probe::Target& target);
inline constexpr char kPassiveWitness[] = "passive";

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_PROBE_PLAN_H_
