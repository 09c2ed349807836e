// SPDX-License-Identifier: Apache-2.0
#include "control/health/probed.h"

namespace evenkeel::health {

std::optional<uint16_t> PortToProbe(const model::Pool& pool, const std::vector<model::Vip>& vips) {
  if (!pool.health_check) return std::nullopt;
  if (pool.health_check->type == model::HealthCheck::Type::kIcmp) return 0;
  if (pool.health_check->port != 0) return pool.health_check->port;
  for (const model::Vip& vip : vips) {
    if (vip.pool == pool.name && vip.port != 0) return vip.port;
  }
  return std::nullopt;
}

}  // namespace evenkeel::health
