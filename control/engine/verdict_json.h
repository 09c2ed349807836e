// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_VERDICT_JSON_H_
#define EVENKEEL_CONTROL_ENGINE_VERDICT_JSON_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "control/guard/guard.h"

namespace evenkeel::engine {

// The verdict as the history keeps it: severity, violations, and what changed (pools and VIPs that
// stay as they are are left out), with the shares before and after. A record has a limit: of more
// violations and backends than these, those are left out that come last.
inline constexpr size_t kMaxRecordedViolations = 500;
inline constexpr size_t kMaxRecordedBackends = 2000;
std::string VerdictToJson(const guard::Verdict& verdict);
// And back, without the results of the rules. InvalidArgument: it is no such record.
absl::StatusOr<guard::Verdict> VerdictFromJson(const std::string& json);

// "LB001 backend-share (pools/web/backends/web-1), LB005 ..." of the blocking violations; for one
// line of a log or of the history.
std::string SummarizeRefusal(const guard::Verdict& verdict);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_VERDICT_JSON_H_
