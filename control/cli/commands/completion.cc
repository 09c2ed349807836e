// SPDX-License-Identifier: Apache-2.0
#include "control/cli/completion.h"

#include "control/cli/command.h"

namespace evenkeel::cli {
namespace {

class Completion final : public Command {
 public:
  void Declare(CLI::App& app) override {
    AddChoice(app, "shell", shell_, "bash|zsh|fish", "The shell")->required();
  }

  ExitCode Run(Session& session) override {
    const CommandTree tree;
    const CompletionSpec spec = Describe(tree.root());
    const std::string script = shell_ == "bash"  ? BashCompletion(spec)
                               : shell_ == "zsh" ? ZshCompletion(spec)
                                                 : FishCompletion(spec);
    session.Out().Raw(script);
    return ExitCode::kDone;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> MakeCompletion() { return std::make_unique<Completion>(); }

}  // namespace evenkeel::cli
