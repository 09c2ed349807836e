// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_TRAFFIC_REPORT_H_
#define EVENKEEL_CONTROL_CLI_TRAFFIC_REPORT_H_

#include <nlohmann/json.hpp>
#include <optional>

#include "control/cli/printer.h"
#include "control/traffic/live_traffic.h"

namespace evenkeel::cli {

// What a change does to the traffic of now; nothing where it concerns none. `all`: every pool.
void PrintLiveTraffic(Printer& out, const traffic::LiveTraffic& live, bool all);

// null where it is not known.
nlohmann::ordered_json LiveTrafficJson(const std::optional<traffic::LiveTraffic>& live);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_TRAFFIC_REPORT_H_
