// SPDX-License-Identifier: Apache-2.0
//
// Changes of one backend: drain, undrain, enable, disable, weight. The daemon makes a whole-set
// update of them, on whatever is in force.
#include "control/cli/apply_flow.h"
#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/drain_wait.h"
#include "control/cli/duration.h"

namespace evenkeel::cli {
namespace {

class EditCommand : public Command {
 public:
  explicit EditCommand(std::string verb) : verb_(std::move(verb)) {}

  void Declare(CLI::App& app) override {
    app.add_option("backend", edit_.backend, "Its name")->type_name("BACKEND")->required();
    DeclareValue(app);
    flags_.DeclareCommon(app);
    app.add_option("--pool", edit_.pool, "Of this pool; needed where several have the backend")
        ->type_name("NAME");
    flow_.Declare(app, WaitHelp());
  }

  ExitCode Run(Session& session) override {
    if (!flow_.has_reason()) flow_.SetReason(What());
    if (const absl::Status status = flow_.Check(); !status.ok()) {
      return session.FailUsage(std::string(status.message()));
    }
    absl::StatusOr<ChangeOptions> options = flags_.Take();
    if (!options.ok()) return session.FailUsage(std::string(options.status().message()));
    options->path = What();
    options->edit = edit_;
    return flow_.Run(session, *options);
  }

 protected:
  virtual void DeclareValue(CLI::App& app) = 0;
  virtual const char* WaitHelp() const { return ApplyFlow::kWaitHelp; }

  // "drain web-3 of pool web".
  virtual std::string What() const {
    return Cat(verb_, " ", edit_.backend, edit_.pool.empty() ? "" : Cat(" of pool ", edit_.pool));
  }

  const std::string verb_;
  ChangeFlags flags_;
  ApplyFlow flow_;
  engine::Edit edit_;
};

class SetState : public EditCommand {
 public:
  SetState(std::string verb, model::AdminState state) : EditCommand(std::move(verb)) {
    edit_.state = state;
  }

 private:
  void DeclareValue(CLI::App&) override {}
};

class Drain final : public SetState {
 public:
  Drain() : SetState("drain", model::AdminState::kDraining) {}

  ExitCode Run(Session& session) override {
    if (const absl::Status status = ReadWait(); !status.ok()) {
      return session.FailUsage(std::string(status.message()));
    }
    const ExitCode code = EditCommand::Run(session);
    // kChanges: it was applied, with --detailed-exitcode.
    if (!flow_.asks_to_wait() || (code != ExitCode::kDone && code != ExitCode::kChanges)) {
      return code;
    }
    session.env.out->flush();
    const ExitCode waited = WaitDrained(session, query_, timeout_);
    return waited == ExitCode::kDone ? code : waited;
  }

 private:
  void DeclareValue(CLI::App& app) override {
    app.add_flag_callback(
        "--emergency", [this] { flow_.SkipQuestion(); },
        "At once: do not ask. One bad host may always go while another serves");
    app.add_option("--timeout", timeout_text_, "Give --wait up after this time, 1s to 168h")
        ->type_name("DURATION");
    app.add_option("--quiet", quiet_text_,
                   "End --wait also after this time without a packet, 1s to 24h")
        ->type_name("DURATION");
  }
  const char* WaitHelp() const override {
    return "Wait until it is safe to stop; before, for --confirm-within";
  }

  absl::Status ReadWait() {
    query_ = {.pool = edit_.pool, .backend = edit_.backend, .quiet = std::chrono::seconds(0)};
    if (!flow_.asks_to_wait()) {
      if (timeout_text_.empty() && quiet_text_.empty()) return absl::OkStatus();
      return absl::InvalidArgumentError("--timeout and --quiet belong to --wait; give that, too");
    }
    if (flow_.validate_only()) {
      return absl::InvalidArgumentError(
          "--wait and --validate-only exclude each other: nothing would be drained");
    }
    if (!timeout_text_.empty()) {
      const auto timeout = ReadDuration("--timeout", timeout_text_, std::chrono::seconds(1),
                                        std::chrono::hours(168));
      if (!timeout.ok()) return timeout.status();
      timeout_ = *timeout;
    }
    if (quiet_text_.empty()) return absl::OkStatus();
    const auto quiet =
        ReadDuration("--quiet", quiet_text_, std::chrono::seconds(1), engine::kMaxQuiet);
    if (!quiet.ok()) return quiet.status();
    query_.quiet = *quiet;
    return absl::OkStatus();
  }

  std::string timeout_text_, quiet_text_;
  std::chrono::seconds timeout_{0};
  engine::DrainQuery query_;
};

class SetWeight final : public EditCommand {
 public:
  SetWeight() : EditCommand("weight") {}

 private:
  void DeclareValue(CLI::App& app) override {
    app.add_option("weight", edit_.weight, "1 to 1000; 0 drains it")
        ->type_name("WEIGHT")
        ->required();
  }
  std::string What() const override {
    return Cat(EditCommand::What(), " set to ", edit_.weight.value_or(0));
  }
};

}  // namespace

std::unique_ptr<Command> MakeDrain() { return std::make_unique<Drain>(); }
std::unique_ptr<Command> MakeUndrain() {
  return std::make_unique<SetState>("undrain", model::AdminState::kEnabled);
}
std::unique_ptr<Command> MakeEnable() {
  return std::make_unique<SetState>("enable", model::AdminState::kEnabled);
}
std::unique_ptr<Command> MakeDisable() {
  return std::make_unique<SetState>("disable", model::AdminState::kDisabled);
}
std::unique_ptr<Command> MakeWeight() { return std::make_unique<SetWeight>(); }

}  // namespace evenkeel::cli
