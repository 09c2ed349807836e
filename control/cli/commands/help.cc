// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

class Help final : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("command", command_, "The command to explain")->type_name(kCommandType);
  }

  ExitCode Run(Session& session) override {
    const CommandTree tree;
    std::vector<std::string> names;
    for (const CLI::App* app : tree.root().get_subcommands({})) {
      names.push_back(app->get_name());
      if (app->get_name() != command_) continue;
      session.Out().Raw(app->help("evenkeel"));
      return ExitCode::kDone;
    }
    if (command_.empty()) {
      session.Out().Raw(tree.root().help());
      return ExitCode::kDone;
    }
    const std::string nearest = Nearest(command_, names);
    return session.FailUsage(
        Cat("there is no command \"", command_, "\"",
            nearest.empty() ? "; see evenkeel --help" : Cat(" (did you mean \"", nearest, "\"?)")));
  }

 private:
  std::string command_;
};

}  // namespace

std::unique_ptr<Command> MakeHelp() { return std::make_unique<Help>(); }

}  // namespace evenkeel::cli
