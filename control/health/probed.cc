// SPDX-License-Identifier: Apache-2.0
#include "control/health/probed.h"

#include <set>

namespace evenkeel::health {

std::vector<Question> QuestionsOf(const model::Pool& pool, const std::vector<model::Vip>& vips) {
  if (!pool.health_check) return {};
  const model::HealthCheck& check = *pool.health_check;
  const bool through = check.through == model::HealthCheck::Through::kVip;
  const bool ports = check.type != model::HealthCheck::Type::kIcmp;
  if (!through && (!ports || check.port != 0)) return {{.vip = std::nullopt, .port = check.port}};
  std::set<Question> questions;
  for (const model::Vip& vip : vips) {
    const uint16_t port = !ports ? 0 : check.port != 0 ? check.port : vip.port;
    if (vip.pool != pool.name || (ports && port == 0)) continue;
    if (!through) return {{.vip = std::nullopt, .port = port}};
    questions.insert({.vip = vip.address, .port = port});
  }
  return {questions.begin(), questions.end()};
}

}  // namespace evenkeel::health
