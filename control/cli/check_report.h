// SPDX-License-Identifier: Apache-2.0
//
// What a check found, for people and for the tools of pipelines.
#ifndef EVENKEEL_CONTROL_CLI_CHECK_REPORT_H_
#define EVENKEEL_CONTROL_CLI_CHECK_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "control/cli/exit_code.h"
#include "control/cli/judgement.h"
#include "control/cli/printer.h"

namespace evenkeel::cli {

// What the files are judged against.
struct Basis {
  enum class Kind { kOffline, kFile, kDaemon } kind = Kind::kOffline;
  std::string text;  // "Judged offline: ...", one line
};
std::string_view ToString(Basis::Kind kind);  // "offline", "file", "daemon"

struct CheckReport {
  Basis basis;
  std::vector<Judgement> files;
  absl::Status failure;  // why the check could not be done; then the files mean nothing
  bool fail_on_warn = false;
};

// The worst file decides. It never depends on the format.
ExitCode CheckExitCode(const CheckReport& report);
// "error", "refuse", "warn", "pass": "error" outweighs "refuse", as in the exit code.
std::string_view CheckWord(const CheckReport& report);

void PrintCheck(Printer& out, const CheckReport& report);
nlohmann::ordered_json CheckJson(const CheckReport& report);
// A log of SARIF 2.1.0 with one run.
nlohmann::ordered_json SarifLog(const CheckReport& report);
// XML as Jenkins and GitLab read it: a suite for each file, a case for each rule and pool.
std::string JunitXml(const CheckReport& report);
// Workflow commands of GitHub Actions, one a line.
std::string GithubCommands(const CheckReport& report);

// The parts that a finding's text is made of, each a line without control characters.
std::vector<std::string> FindingLines(const guard::Violation& violation);
// "LB003 min-serving".
std::string RuleTitle(std::string_view rule, std::string_view name);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_CHECK_REPORT_H_
