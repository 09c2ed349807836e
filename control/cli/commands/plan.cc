// SPDX-License-Identifier: Apache-2.0
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/plan_report.h"

namespace evenkeel::cli {
namespace {

class Plan final : public Command {
 public:
  void Declare(CLI::App& app) override { flags_.Declare(app); }

  ExitCode Run(Session& session) override {
    const absl::StatusOr<ChangeOptions> taken = flags_.Take();
    if (!taken.ok()) return session.FailUsage(std::string(taken.status().message()));
    const ChangeOptions& options = *taken;
    const absl::StatusOr<Planned> planned = RequestPlan(session, options);
    if (!planned.ok()) return session.Fail(planned.status());
    return ReportPlan(session, options, *planned);
  }

 private:
  ChangeFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakePlan() { return std::make_unique<Plan>(); }

}  // namespace evenkeel::cli
