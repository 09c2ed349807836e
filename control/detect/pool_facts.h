// SPDX-License-Identifier: Apache-2.0
//
// What needs no traffic to be known: links 1 and 2 of the chain.
#ifndef EVENKEEL_CONTROL_DETECT_POOL_FACTS_H_
#define EVENKEEL_CONTROL_DETECT_POOL_FACTS_H_

#include <optional>
#include <vector>

#include "control/detect/alarm_book.h"
#include "control/detect/input.h"
#include "control/detect/thresholds.h"

namespace evenkeel::detect {

struct Fact {
  Subject subject;
  Finding finding;
};

// Servers that the configuration gives too much (kConcentration), and those that have another
// share of the table than it asks for (kTable).
std::vector<Fact> FactsOf(const PoolPlan& plan, const Thresholds& thresholds);

// The kernel's table is not the plan's. `reading` has a digest that differs.
Fact KernelFact(const PoolPlan& plan, const PoolReading& reading);

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_POOL_FACTS_H_
