// SPDX-License-Identifier: Apache-2.0
//
// States and counters in the detector's terms. Pure.
#ifndef EVENKEEL_CONTROL_DAEMON_DETECT_PLAN_H_
#define EVENKEEL_CONTROL_DAEMON_DETECT_PLAN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/detect/detector.h"
#include "control/engine/evaluate.h"
#include "control/history/history.h"
#include "control/publish/publisher.h"

namespace evenkeel::daemon {

// Since when a pool has its present shares, and what was planned for it last.
struct ShareAge {
  std::shared_ptr<const guard::BuiltTable> table;
  guard::Digest digest;  // of it
  uint32_t generation = 0;
  int64_t since_unix_ns = 0;
  std::shared_ptr<const guard::BuiltPool> pool;
  std::shared_ptr<const detect::PoolPlan> plan;
  model::Policy policy;  // in force for it
};
using ShareAges = std::map<std::string, ShareAge>;

// Every pool that packets can get to, and its servers. `ages` is brought up to date: a pool with
// another table than before has it as of generation `next`, since `now_unix_ns`. A plan in which
// nothing changed is the same object as before. `host`: the host's policy, which may be stricter.
detect::Detector::Plans PlanDetection(const engine::State& state, const model::Policy& host,
                                      uint32_t next, int64_t now_unix_ns, ShareAges* ages);

// What was changed, and the command that undoes it. `before`: in force until then; null: nothing
// was, or it is not known.
detect::Change DescribeChange(const engine::Applied& applied, uint64_t base,
                              const guard::BuiltFleet* before, const guard::BuiltFleet& after);

// Counters, without health and readback.
std::vector<detect::PoolReading> ReadPools(const detect::Detector::Plans& plans,
                                           const publish::CounterReport& counters,
                                           const publish::TrackingReport& tracking);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_DETECT_PLAN_H_
