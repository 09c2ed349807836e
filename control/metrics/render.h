// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_METRICS_RENDER_H_
#define EVENKEEL_CONTROL_METRICS_RENDER_H_

#include <cstdint>
#include <string>

#include "control/engine/engine.h"
#include "control/metrics/exposition.h"
#include "control/metrics/tallies.h"

namespace evenkeel::metrics {

// What the process takes of the host.
struct ProcessUse {
  uint64_t resident_bytes = 0;
  double cpu_s = 0;
};

// The metrics of metric_list.h as text. Pure.
std::string Render(const engine::Status& status, const PoolTotals& totals,
                   const Tallies::Snapshot& tallies, const ProcessUse& process, int64_t now_unix_ns,
                   double collect_s);

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_CONTROL_METRICS_RENDER_H_
