// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HEALTH_PROBED_H_
#define EVENKEEL_CONTROL_HEALTH_PROBED_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "control/model/config.h"

namespace evenkeel::health {

// The port that the pool's servers are asked on: the health check's own, or that of the first VIP
// that has one and leads to the pool; 0 for a check that knows no ports. Nothing: the pool has no
// health check, or one that has no port to ask. Its servers are not probed then, and nobody waits
// for their answers.
std::optional<uint16_t> PortToProbe(const model::Pool& pool, const std::vector<model::Vip>& vips);

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_PROBED_H_
