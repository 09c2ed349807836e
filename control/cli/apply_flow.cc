// SPDX-License-Identifier: Apache-2.0
#include "control/cli/apply_flow.h"

#include "absl/strings/ascii.h"
#include "control/cli/apply_report.h"
#include "control/cli/cat.h"
#include "control/cli/duration.h"
#include "control/cli/stale_report.h"
#include "control/cli/standing.h"

namespace evenkeel::cli {
namespace {

using Kind = engine::Outcome::Kind;

constexpr size_t kMaxReasonBytes = 1024;
constexpr std::chrono::seconds kDefaultWindow{60};

// Refused, invalid, stale, or nothing to change: the plan says it all.
ExitCode ReportNotApplicable(Session& session, const ChangeOptions& options,
                             const Planned& planned) {
  if (planned.outcome.kind == Kind::kStale) {
    return ReportStale(session, options, planned.outcome, std::nullopt, "apply");
  }
  if (!session.json()) return ReportPlan(session, options, planned);
  session.PrintJson(ApplyJson(options, planned, planned.outcome));
  return PlanExitCode(options, planned.outcome);
}

bool Confirm(Session& session, const ChangeOptions& options, const Planned& planned) {
  if (!session.env.in_is_terminal) return false;
  Printer err = session.Err();
  if (session.json()) PrintPlan(err, options, planned);  // standard output is for the document
  err.Put("Apply this change? [y/N] ", Style::kBold);
  session.env.err->flush();
  std::string answer;
  std::getline(*session.env.in, answer);
  answer = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return answer == "y" || answer == "yes";
}

ExitCode ReportHeld(Session& session, const ChangeOptions& options, const Planned& planned,
                    std::string_view message, const char* outcome, ExitCode exit) {
  session.Err().Put("evenkeel: ", Style::kBad).Line(message);
  if (session.json()) {
    nlohmann::ordered_json document = ApplyJson(options, planned, planned.outcome);
    document["outcome"] = outcome;
    document["message"] = std::string(message);
    session.PrintJson(document);
  }
  return exit;
}

}  // namespace

CLI::Option* ApplyFlow::Declare(CLI::App& app, const std::string& wait_help) {
  CLI::Option* reason =
      app.add_option("-r,--reason", reason_, "Why; recorded with the revision")->type_name("TEXT");
  app.add_option("--ticket", ticket_, "Of your tracker; recorded with the revision")
      ->type_name("TICKET");
  app.add_option("--confirm-within", within_,
                 "Roll it back unless it is confirmed in this time, 10s to 24h")
      ->type_name("DURATION");
  app.add_flag("--auto-confirm", window_.auto_confirm,
               "Watch it for that time, then confirm it if nothing speaks against it");
  app.add_flag_callback(
      "--wait", [this] { wait_ = true; }, wait_help);
  app.add_flag_callback(
      "--no-wait", [this] { wait_ = false; }, "Leave that to the daemon, also with --auto-confirm");
  app.add_flag("-y,--yes", yes_, "Do not ask; needed where standard input is no terminal");
  app.add_flag("--validate-only", validate_only_, "Let the daemon do all but the change itself");
  return reason;
}

absl::Status ApplyFlow::Check() {
  reason_ = std::string(absl::StripAsciiWhitespace(reason_));
  if (reason_.empty()) {
    return absl::InvalidArgumentError("--reason is empty; say why, for the person on call");
  }
  if (reason_.size() > kMaxReasonBytes) {
    return absl::InvalidArgumentError(
        Cat("--reason has ", reason_.size(), " bytes; at most ", kMaxReasonBytes));
  }
  return ReadWindow();
}

absl::Status ApplyFlow::ReadWindow() {
  if (within_.empty()) {
    if (window_.auto_confirm) window_.length = kDefaultWindow;
    return absl::OkStatus();
  }
  const auto length =
      ReadDuration("--confirm-within", within_, engine::kMinWindow, engine::kMaxWindow);
  if (!length.ok()) return length.status();
  window_.length = *length;
  return absl::OkStatus();
}

ExitCode ApplyFlow::Run(Session& session, const ChangeOptions& options) const {
  const absl::StatusOr<Planned> planned = RequestPlan(session, options);
  if (!planned.ok()) return session.Fail(planned.status());
  if (planned->outcome.kind == Kind::kValidated) return Proceed(session, options, *planned);
  const ExitCode code = ReportNotApplicable(session, options, *planned);
  if (planned->outcome.kind == Kind::kRefused && !validate_only_) Record(session, *planned);
  return code;
}

// That it was tried, by whom and why. Only validated: what the plan saw refused and nobody
// confirmed must not take effect, whatever has changed meanwhile.
void ApplyFlow::Record(Session& session, const Planned& planned) const {
  engine::Request request = MakeRequest(planned);
  request.validate_only = true;
  request.record_refusal = true;
  const engine::Outcome outcome = session.daemon().Apply(request);
  if (outcome.kind == Kind::kRefused) return;
  session.Err()
      .Put("evenkeel: ", Style::kWarn)
      .Line(Cat("the refusal could not be recorded: ",
                outcome.status.ok() ? "the state has changed meanwhile"
                                    : std::string(outcome.status.message())));
}

engine::Request ApplyFlow::MakeRequest(const Planned& planned) const {
  engine::Request request;
  request.change = planned.change;
  // An edit is of whatever is in force; anything else replaces what the plan was made against.
  if (!planned.change.edit) request.etag = planned.outcome.applied.etag;
  request.reason = reason_;
  request.ticket = ticket_;
  request.window = window_;
  request.consent = planned.consent;
  return request;
}

ExitCode ApplyFlow::Proceed(Session& session, const ChangeOptions& options,
                            const Planned& planned) const {
  if (!session.json()) {
    Printer out = session.Out();
    PrintPlan(out, options, planned);
    session.env.out->flush();
  }
  if (options.fail_on_warn && planned.outcome.verdict.severity == guard::Severity::kWarn) {
    return ReportHeld(session, options, planned, "not applied: there are warnings (--fail-on warn)",
                      "warnings", ExitCode::kWarnings);
  }
  if (!validate_only_ && !yes_ && !Confirm(session, options, planned)) {
    return ReportHeld(session, options, planned,
                      session.env.in_is_terminal
                          ? "not confirmed; nothing changed"
                          : "not applied: standard input is no terminal to ask for confirmation "
                            "on; repeat with --yes",
                      "not_confirmed", ExitCode::kError);
  }
  return Send(session, options, planned);
}

ExitCode ApplyFlow::Send(Session& session, const ChangeOptions& options,
                         const Planned& planned) const {
  engine::Request request = MakeRequest(planned);
  request.validate_only = validate_only_;
  const engine::Outcome outcome = session.daemon().Apply(request);
  if (outcome.kind == Kind::kStale) {
    return ReportStale(session, options, outcome, planned.base, "apply");
  }
  if (outcome.kind == Kind::kFailed) {
    return session.Fail(outcome.status.ok()
                            ? absl::InternalError("the daemon's answer has no result")
                            : outcome.status);
  }
  ReportApply(session, options, planned, outcome);
  if (outcome.kind == Kind::kApplied && outcome.applied.awaits() &&
      wait_.value_or(window_.auto_confirm)) {
    const ExitCode settled = WaitSettled(session, outcome.applied);
    if (settled != ExitCode::kDone) return settled;
  }
  return PlanExitCode(options, outcome);
}

}  // namespace evenkeel::cli
