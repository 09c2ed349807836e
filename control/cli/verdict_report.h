// SPDX-License-Identifier: Apache-2.0
//
// How verdicts and bad input are shown; the same for check, plan and apply.
#ifndef EVENKEEL_CONTROL_CLI_VERDICT_REPORT_H_
#define EVENKEEL_CONTROL_CLI_VERDICT_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/input.h"
#include "control/cli/printer.h"
#include "control/guard/guard.h"

namespace evenkeel::cli {

inline constexpr char kCheckSchema[] = "evenkeel.check/v1";

std::string_view VerdictWord(guard::Severity severity);   // "pass", "warn", "refuse"
std::string_view KindWord(guard::PoolChange::Kind kind);  // "unchanged", "added", ...
Style StyleOf(guard::Severity severity);
// The rules that refuse, each once: "LB001, LB003".
std::string RefusingRules(const guard::Verdict& verdict);

nlohmann::ordered_json ErrorsJson(const ConfigFile& file,
                                  const std::vector<model::Diagnostic>& errors,
                                  const std::string& pool);
nlohmann::ordered_json ViolationsJson(const ConfigFile& file, const guard::Verdict& verdict);
nlohmann::ordered_json RuleResultsJson(const guard::Verdict& verdict);
nlohmann::ordered_json PoolChangesJson(const guard::Verdict& verdict);
nlohmann::ordered_json VipChangesJson(const guard::Verdict& verdict);

// "file:line:column: field: message", one a line.
void PrintErrors(Printer& out, const ConfigFile& file, const std::vector<model::Diagnostic>& errors,
                 const std::string& pool);
// Every violation with what was observed, the limit and the fix.
void PrintViolations(Printer& out, const ConfigFile& file, const guard::Verdict& verdict);
// Each rule's verdict, also where it passed.
void PrintRuleResults(Printer& out, const guard::Verdict& verdict);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_VERDICT_REPORT_H_
