// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_APPLY_REPORT_H_
#define EVENKEEL_CONTROL_CLI_APPLY_REPORT_H_

#include <nlohmann/json.hpp>

#include "control/cli/plan_report.h"
#include "control/cli/session.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

inline constexpr char kApplySchema[] = "evenkeel.apply/v1";

// `outcome` of the call to Apply, or of the plan where it ended with that.
nlohmann::ordered_json ApplyJson(const ChangeOptions& options, const Planned& planned,
                                 const engine::Outcome& outcome);

// What Apply ended with, except stale and failed. In text the plan was printed before.
void ReportApply(Session& session, const ChangeOptions& options, const Planned& planned,
                 const engine::Outcome& outcome);

// How it was published: how much, how fast, and who cannot be reached.
void PrintPublished(Printer& out, const engine::Change& change,
                    const publish::PublishResult& result);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_APPLY_REPORT_H_
