// SPDX-License-Identifier: Apache-2.0
//
// From a change to its end: plan, show, ask, apply, wait. What every command that changes
// something has in common.
#ifndef EVENKEEL_CONTROL_CLI_APPLY_FLOW_H_
#define EVENKEEL_CONTROL_CLI_APPLY_FLOW_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "control/cli/exit_code.h"
#include "control/cli/plan_report.h"
#include "control/cli/session.h"

namespace evenkeel::cli {

class ApplyFlow {
 public:
  // Returns --reason.
  CLI::Option* Declare(CLI::App& app, const std::string& wait_help = kWaitHelp);
  static constexpr char kWaitHelp[] =
      "Wait until it is confirmed or rolled back; default with --auto-confirm";
  // Where the user gave none.
  void SetReason(std::string reason) { reason_ = std::move(reason); }
  bool has_reason() const { return !reason_.empty(); }
  void SkipQuestion() { yes_ = true; }
  bool asks_to_wait() const { return wait_.value_or(false); }
  bool validate_only() const { return validate_only_; }

  // Problems of the options alone; before anything is asked of the daemon.
  absl::Status Check();
  ExitCode Run(Session& session, const ChangeOptions& options) const;

 private:
  absl::Status ReadWindow();
  void Record(Session& session, const Planned& planned) const;
  engine::Request MakeRequest(const Planned& planned) const;
  ExitCode Proceed(Session& session, const ChangeOptions& options, const Planned& planned) const;
  ExitCode Send(Session& session, const ChangeOptions& options, const Planned& planned) const;

  std::string reason_, ticket_, within_;
  engine::Window window_;
  std::optional<bool> wait_;
  bool yes_ = false;
  bool validate_only_ = false;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_APPLY_FLOW_H_
