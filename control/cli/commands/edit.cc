// SPDX-License-Identifier: Apache-2.0
//
// Changes of one backend: drain, undrain, enable, disable, weight. The daemon makes a whole-set
// update of them, on whatever is in force.
#include "control/cli/apply_flow.h"
#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"

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
    flow_.Declare(app);
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

  // "drain web-3 of pool web".
  virtual std::string What() const {
    return Cat(verb_, " ", edit_.backend, edit_.pool.empty() ? "" : Cat(" of pool ", edit_.pool));
  }

  const std::string verb_;
  ChangeFlags flags_;
  ApplyFlow flow_;
  engine::Edit edit_;
};

class SetState final : public EditCommand {
 public:
  SetState(std::string verb, model::AdminState state) : EditCommand(std::move(verb)) {
    edit_.state = state;
  }

 private:
  void DeclareValue(CLI::App& app) override {
    if (edit_.state != model::AdminState::kDraining) return;
    app.add_flag_callback(
        "--emergency", [this] { flow_.SkipQuestion(); },
        "At once: do not ask. One bad host may always go while another serves");
  }
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

std::unique_ptr<Command> MakeDrain() {
  return std::make_unique<SetState>("drain", model::AdminState::kDraining);
}
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
