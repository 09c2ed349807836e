// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/plan_report.h"
#include "control/cli/saved_plan.h"

namespace evenkeel::cli {
namespace {

class Plan final : public Command {
 public:
  void Declare(CLI::App& app) override {
    flags_.Declare(app)->required();
    app.add_option("--out", out_, "Save the plan, to be applied with evenkeel apply PLAN")
        ->type_name(kFileType);
  }

  ExitCode Run(Session& session) override {
    absl::StatusOr<ChangeOptions> taken = flags_.Take();
    if (!taken.ok()) return session.FailUsage(std::string(taken.status().message()));
    ChangeOptions& options = *taken;
    if (!out_.empty()) {
      if (const absl::Status room = ClearPlanFile(out_); !room.ok()) return session.Fail(room);
    }
    const absl::StatusOr<Planned> planned = RequestPlan(session, options);
    if (!planned.ok()) return session.Fail(planned.status());
    if (out_.empty()) return ReportPlan(session, options, *planned);
    return Save(session, options, *planned);
  }

 private:
  ExitCode Save(Session& session, ChangeOptions& options, const Planned& planned) const {
    if (!CanBeSaved(planned)) {
      const ExitCode exit = ReportPlan(session, options, planned);
      session.Err().Put("evenkeel: ", Style::kWarn).Line("no plan was saved: it cannot be applied");
      return exit;
    }
    const absl::Status saved = SavePlan(out_, options, planned, session.env.now_unix_ns());
    if (!saved.ok()) return session.Fail(saved);
    options.plan_path = out_;
    const ExitCode exit = ReportPlan(session, options, planned);
    if (!session.json()) {
      session.Out().Line(
          Cat("Saved; to apply exactly this: evenkeel apply ", out_, " --reason ..."));
    }
    return exit;
  }

  ChangeFlags flags_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Command> MakePlan() { return std::make_unique<Plan>(); }

}  // namespace evenkeel::cli
