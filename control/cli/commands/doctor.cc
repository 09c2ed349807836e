// SPDX-License-Identifier: Apache-2.0
#include "absl/status/status.h"
#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/host_checks.h"
#include "control/cli/kernel_config.h"
#include "control/cli/text.h"
#include "control/cli/version.h"

namespace evenkeel::cli {
namespace {

using engine::Finding;
using Level = Finding::Level;

const char* Word(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kWarn:
      return "warn";
    case Level::kFail:
      break;
  }
  return "fail";
}

Style StyleOf(Level level) {
  switch (level) {
    case Level::kOk:
      return Style::kGood;
    case Level::kWarn:
      return Style::kWarn;
    case Level::kFail:
      break;
  }
  return Style::kBad;
}

void Append(std::vector<Finding>& all, std::vector<Finding> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

class Doctor final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("--state-dir", state_dir_,
                   "Where to look for the history if no daemon answers [/var/lib/evenkeel]")
        ->type_name("DIR");
    app.add_flag("--no-probe", no_probe_,
                 "Ask no server through its VIP whether it takes the encapsulation off");
    AddFailOn(app, fail_on_);
  }

  ExitCode Run(Session& session) override {
    std::vector<Finding> findings = CheckHost(session.env.host);
    std::vector<Finding> own = AskDaemon(session);
    findings.push_back(CheckKernelConfig(session.env.host, daemon_answers_));
    Append(findings, std::move(own));
    session.json() ? PrintJson(session, findings) : PrintText(session, findings);
    return Exit(findings);
  }

 private:
  std::vector<Finding> AskDaemon(Session& session) {
    const absl::StatusOr<engine::Status> status = session.daemon().GetStatus();
    if (!status.ok()) return WithoutDaemon(session, status.status());
    daemon_answers_ = true;
    std::vector<Finding> findings = {
        {Level::kOk, "daemon", session.socket, Cat("evenkeeld ", status->version), ""}};
    if (status->version != kVersion) {
      findings[0] = {Level::kWarn, "daemon", session.socket,
                     Cat("evenkeeld ", status->version, ", and this is evenkeel ", kVersion),
                     "use the command that was installed with the daemon"};
    }
    if (!no_probe_ && session.env.err_is_terminal && !status->pools.empty()) {
      *session.env.err << "asking servers through their VIPs, for some 3 s (--no-probe: not)\n"
                       << std::flush;
    }
    absl::StatusOr<std::vector<Finding>> own = session.daemon().Diagnose({.probe = !no_probe_});
    if (own.ok()) {
      Append(findings, *std::move(own));
    } else {
      findings.push_back({Level::kFail, "daemon", session.socket,
                          Cat("it cannot look at itself: ", std::string(own.status().message())),
                          "its log says more"});
    }
    Append(findings, CheckInterfaces(session.env.host, *status));
    return findings;
  }

  // Whether it is the record that keeps it from starting.
  std::vector<Finding> WithoutDaemon(const Session& session, const absl::Status& why) const {
    std::vector<Finding> findings = {
        {Level::kFail, "daemon", session.socket, std::string(why.message()),
         "start it: systemctl start evenkeeld; packets are forwarded meanwhile"}};
    const absl::Status record = session.env.inspect_history(state_dir_);
    if (absl::IsNotFound(record)) {
      findings.push_back({Level::kWarn, "history", state_dir_, std::string(record.message()),
                          "normal before the first start; else name it with --state-dir"});
    } else if (record.ok()) {
      findings.push_back({Level::kOk, "history", state_dir_, "whole", ""});
    } else {
      findings.push_back({Level::kFail, "history", state_dir_, std::string(record.message()),
                          "evenkeeld does not start with it"});
    }
    return findings;
  }

  static void PrintText(Session& session, const std::vector<Finding>& findings) {
    Printer out = session.Out();
    size_t fails = 0, warnings = 0;
    for (const Finding& finding : findings) {
      const std::string word = Word(finding.level);
      const std::string subject = finding.subject.empty() ? "" : Cat(" ", finding.subject);
      out.Hanging(0, {Cat(word, std::string(4 - word.size(), ' ')), StyleOf(finding.level)},
                  Cat(finding.check, subject, ": ", finding.detail));
      if (!finding.remedy.empty()) out.Hanging(5, {"remedy:"}, finding.remedy);
      fails += finding.level == Level::kFail;
      warnings += finding.level == Level::kWarn;
    }
    out.End();
    if (fails + warnings == 0) {
      out.Line("All is well", Style::kGood);
      return;
    }
    out.Line(Cat(Plural(fails, "failure"), ", ", Plural(warnings, "warning")),
             fails > 0 ? Style::kBad : Style::kWarn);
  }

  static void PrintJson(Session& session, const std::vector<Finding>& findings) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Finding& finding : findings) {
      list.push_back({{"level", Word(finding.level)},
                      {"check", finding.check},
                      {"subject", finding.subject},
                      {"detail", finding.detail},
                      {"remedy", finding.remedy}});
    }
    session.PrintJson({{"schema", "evenkeel.doctor/v1"}, {"findings", list}});
  }

  ExitCode Exit(const std::vector<Finding>& findings) const {
    Level worst = Level::kOk;
    for (const Finding& finding : findings) worst = std::max(worst, finding.level);
    if (worst == Level::kFail) return ExitCode::kError;
    return worst == Level::kWarn && fail_on_ == "warn" ? ExitCode::kWarnings : ExitCode::kDone;
  }

  std::string state_dir_ = "/var/lib/evenkeel";
  std::string fail_on_;
  bool no_probe_ = false;
  bool daemon_answers_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDoctor() { return std::make_unique<Doctor>(); }

}  // namespace evenkeel::cli
