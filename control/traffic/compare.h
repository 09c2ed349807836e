// SPDX-License-Identifier: Apache-2.0
//
// Traffic put through the state that runs and through the one that is to replace it. Pure.
#ifndef EVENKEEL_CONTROL_TRAFFIC_COMPARE_H_
#define EVENKEEL_CONTROL_TRAFFIC_COMPARE_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "control/guard/fleet.h"
#include "control/publish/probe.h"
#include "control/traffic/live_traffic.h"
#include "control/traffic/rates.h"

namespace evenkeel::traffic {

struct Observed {
  Rates rates;
  std::vector<publish::Flow> flows;  // of each sampled packet one, as of ParseFrame
};

// One element for each pool of `running` that is changed or removed, or one of whose VIPs is, and
// that a VIP leads to. `key`: the data plane's, as of dataplane::HashKeyWords.
//
// A flow that was seen stays where it is if its slot remembers the former owner
// (docs/adr/0005-track-what-moves.md): same pool, table size and hash, a VIP that is tracked, and
// an owner that is not gone or disabled.
std::vector<PoolTraffic> CompareTraffic(const guard::BuiltFleet& running,
                                        const guard::BuiltFleet& candidate,
                                        const std::array<uint64_t, 2>& key,
                                        const Observed& observed);

}  // namespace evenkeel::traffic

#endif  // EVENKEEL_CONTROL_TRAFFIC_COMPARE_H_
