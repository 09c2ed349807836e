// SPDX-License-Identifier: Apache-2.0
//
// What a plan says of the traffic of now.
#include <algorithm>

#include "control/engine/local_engine.h"
#include "control/traffic/compare.h"

namespace evenkeel::engine {

traffic::LiveTraffic LocalEngine::PredictTraffic(const guard::BuiltFleet& running,
                                                 const guard::BuiltFleet& candidate,
                                                 std::chrono::milliseconds sample_for) {
  const auto key = dataplane::HashKeyWords(deps_.court.hash_key);
  traffic::LiveTraffic live;
  // Nobody's packets move where no pool changes that a VIP leads to.
  if (traffic::CompareTraffic(running, candidate, key, {}).empty()) return live;
  traffic::Observed observed{.rates = traffic_.Rates(), .flows = {}};
  live.interval = observed.rates.interval;
  if (sample_for > std::chrono::milliseconds(0)) {
    auto sampled = sampler_.Take(std::min(sample_for, kMaxSample), observed.rates.all);
    if (sampled.ok()) {
      live.sample = sampled->facts;
      observed.flows = std::move(sampled->flows);
    } else {
      live.not_sampled = std::string(sampled.status().message());
    }
  }
  live.pools = traffic::CompareTraffic(running, candidate, key, observed);
  return live;
}

}  // namespace evenkeel::engine
