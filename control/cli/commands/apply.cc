// SPDX-License-Identifier: Apache-2.0
#include "control/cli/apply_flow.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/saved_plan.h"

namespace evenkeel::cli {
namespace {

class Apply final : public Command {
 public:
  void Declare(CLI::App& app) override {
    flags_.Declare(app);
    app.add_option("plan", plan_, "A plan that evenkeel plan --out saved, instead of --file")
        ->type_name(kFileType);
    flow_.Declare(app)->required();
  }

  ExitCode Run(Session& session) override {
    if (const absl::Status status = flow_.Check(); !status.ok()) {
      return session.FailUsage(std::string(status.message()));
    }
    absl::StatusOr<ChangeOptions> options = flags_.Take();
    if (!options.ok()) return session.FailUsage(std::string(options.status().message()));
    if (plan_.empty() && options->path.empty()) {
      return session.FailUsage("nothing to apply; give --file FILE, or a saved plan");
    }
    if (!plan_.empty()) {
      if (const absl::Status status = TakePlanFile(plan_, *options); !status.ok()) {
        return session.Fail(status);
      }
    }
    return flow_.Run(session, *options);
  }

 private:
  ChangeFlags flags_;
  ApplyFlow flow_;
  std::string plan_;
};

}  // namespace

std::unique_ptr<Command> MakeApply() { return std::make_unique<Apply>(); }

}  // namespace evenkeel::cli
