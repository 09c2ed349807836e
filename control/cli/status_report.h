// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_STATUS_REPORT_H_
#define EVENKEEL_CONTROL_CLI_STATUS_REPORT_H_

#include <optional>

#include "control/cli/printer.h"
#include "control/engine/engine.h"
#include "control/json/status.h"

namespace evenkeel::cli {

// The status at one moment; `before` gives rates.
struct StatusSample {
  engine::Status status;
  int64_t unix_ns = 0;
};

void PrintStatus(Printer& out, const StatusSample& now, const std::optional<StatusSample>& before);

// What a packet verdict means ("drop_ttl"), from the data plane's own list; empty if unknown.
std::string_view VerdictMeaning(std::string_view verdict);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_STATUS_REPORT_H_
