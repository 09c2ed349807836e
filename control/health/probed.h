// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HEALTH_PROBED_H_
#define EVENKEEL_CONTROL_HEALTH_PROBED_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "control/model/config.h"

namespace evenkeel::health {

// What each server of a pool is asked for, by a probe of its own.
struct Question {
  std::optional<model::IpAddress> vip;  // empty: the server's own address
  uint16_t port = 0;                    // 0 for a check that knows no ports

  friend auto operator<=>(const Question&, const Question&) = default;
};

// Ascending. The port is the health check's own, or that of a VIP that leads to the pool: of the
// first one that has one, or, where VIPs are asked (`through: vip`), of each. Empty: the pool has
// no health check, or one that has nothing to ask. Its servers are not probed then, and nobody
// waits for their answers.
std::vector<Question> QuestionsOf(const model::Pool& pool, const std::vector<model::Vip>& vips);

}  // namespace evenkeel::health

#endif  // EVENKEEL_CONTROL_HEALTH_PROBED_H_
