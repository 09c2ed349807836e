// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_ADVERTISED_H_
#define EVENKEEL_CONTROL_CLI_ADVERTISED_H_

#include <vector>

#include "control/cli/printer.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

Cell AdvertisedCell(const engine::Advertisement& advertised);

// A line for each VIP that is not advertised, or whose address is so for others only: why.
void PrintNotAdvertised(Printer& out, const std::vector<engine::VipStatus>& vips);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_ADVERTISED_H_
