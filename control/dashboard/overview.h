// SPDX-License-Identifier: Apache-2.0
//
// What the page polls: the head of the status, and of the pools those that matter most.
#ifndef EVENKEEL_CONTROL_DASHBOARD_OVERVIEW_H_
#define EVENKEEL_CONTROL_DASHBOARD_OVERVIEW_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/engine/engine.h"

namespace evenkeel::dashboard {

enum class Sort { kWorst, kName, kFlows };

struct OverviewQuery {
  size_t limit = 50;   // pools
  std::string filter;  // by name of pool, VIP or backend, or address; empty: all
  Sort sort = Sort::kWorst;
  std::vector<std::string> open;  // pools that are wanted with their backends
};

// How much a pool needs somebody's attention: the first that applies.
enum class Rank { kPage, kTicket, kBroken, kPanic, kDown, kNoSpare, kMoving, kFine, kUnknown };
std::string_view ToString(Rank rank);

// `status` is of `unix_ns`.
nlohmann::ordered_json Overview(const engine::Status& status, int64_t unix_ns,
                                const OverviewQuery& query);

}  // namespace evenkeel::dashboard

#endif  // EVENKEEL_CONTROL_DASHBOARD_OVERVIEW_H_
