// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_ALARM_REPORT_H_
#define EVENKEEL_CONTROL_CLI_ALARM_REPORT_H_

#include <cstddef>
#include <vector>

#include "control/cli/printer.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// What is wrong, since when, who changed what just before, and what to type.
void PrintAlarms(Printer& out, size_t label_columns, const std::vector<detect::Alarm>& alarms,
                 int64_t now_unix_ns);

// One line of a pool: whether its traffic is where it should be.
void PrintDistribution(Printer& out, const engine::PoolStatus& pool);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_ALARM_REPORT_H_
