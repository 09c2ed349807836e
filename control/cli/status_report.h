// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_STATUS_REPORT_H_
#define EVENKEEL_CONTROL_CLI_STATUS_REPORT_H_

#include <nlohmann/json.hpp>
#include <optional>

#include "control/cli/printer.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// The status at one moment; `before` gives rates.
struct StatusSample {
  engine::Status status;
  int64_t unix_ns = 0;
};

nlohmann::ordered_json ToJson(const engine::Status& status);
void PrintStatus(Printer& out, const StatusSample& now, const std::optional<StatusSample>& before);

// What a packet verdict means ("drop_ttl"), from the data plane's own list; empty if unknown.
std::string_view VerdictMeaning(std::string_view verdict);

// True where the kernel forwards with something else than what was approved.
bool IsAlarm(const engine::Status& status);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_STATUS_REPORT_H_
