// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_VERDICT_JSON_H_
#define EVENKEEL_CONTROL_ENGINE_VERDICT_JSON_H_

#include <string>

#include "control/guard/guard.h"

namespace evenkeel::engine {

// The verdict as the history keeps it: severity, every violation, and what changed (pools and VIPs
// that stay as they are are left out).
std::string VerdictToJson(const guard::Verdict& verdict);

// "LB001 backend-share (pools/web/backends/web-1), LB005 ..." of the blocking violations; for one
// line of a log or of the history.
std::string SummarizeRefusal(const guard::Verdict& verdict);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_VERDICT_JSON_H_
