// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_SESSION_H_
#define EVENKEEL_CONTROL_CLI_SESSION_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "control/cli/environment.h"
#include "control/cli/exit_code.h"
#include "control/cli/printer.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

enum class Format { kText, kJson, kYaml, kSarif, kJunit, kGithub };

// One run of one command: where it writes, in which format, and the daemon it speaks to.
class Session {
 public:
  explicit Session(Environment& environment) : env(environment), socket(environment.socket) {}

  Environment& env;
  Format format = Format::kText;
  std::string socket;

  bool json() const { return format == Format::kJson; }
  Printer Out() const;
  Printer Err() const;
  void PrintJson(const nlohmann::ordered_json& document) const;
  // One object on one line, at once: for streams of events.
  void PrintJsonLine(const nlohmann::ordered_json& document) const;

  // Connects when it is first used.
  engine::Engine& daemon();

  // Reports the error on standard error, and in JSON also as a document on standard output.
  ExitCode Fail(const absl::Status& status) const;
  ExitCode FailUsage(const std::string& message) const;

 private:
  std::unique_ptr<engine::Engine> daemon_;
};

// "unavailable", "not_found": absl's code in lower case, for JSON.
std::string StatusName(const absl::Status& status);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_SESSION_H_
