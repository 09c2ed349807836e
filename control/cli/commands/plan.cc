// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/change_options.h"
#include "control/cli/command.h"
#include "control/cli/duration.h"
#include "control/cli/plan_report.h"
#include "control/cli/saved_plan.h"

namespace evenkeel::cli {
namespace {

constexpr std::chrono::milliseconds kShortestSample{1};

class Plan final : public Command {
 public:
  void Declare(CLI::App& app) override {
    flags_.Declare(app)->required();
    app.add_option("--out", out_, "Save the plan, to be applied with evenkeel apply PLAN")
        ->type_name(kFileType);
    CLI::Option* sample =
        app.add_option("--sample", sample_, "Look at real packets for so long, 1ms to 2s; 300ms")
            ->type_name("DURATION");
    app.add_flag("--no-sample", no_sample_, "Look at no packets; counters are shown all the same")
        ->excludes(sample);
  }

  ExitCode Run(Session& session) override {
    absl::StatusOr<ChangeOptions> taken = flags_.Take();
    if (!taken.ok()) return session.FailUsage(std::string(taken.status().message()));
    ChangeOptions& options = *taken;
    if (const absl::Status status = TakeSample(&options); !status.ok()) {
      return session.FailUsage(std::string(status.message()));
    }
    if (!out_.empty()) {
      if (const absl::Status room = ClearPlanFile(out_); !room.ok()) return session.Fail(room);
    }
    const absl::StatusOr<Planned> planned = RequestPlan(session, options);
    if (!planned.ok()) return session.Fail(planned.status());
    if (out_.empty()) return ReportPlan(session, options, *planned);
    return Save(session, options, *planned);
  }

 private:
  absl::Status TakeSample(ChangeOptions* options) const {
    if (no_sample_) return absl::OkStatus();
    const auto time = ReadMilliseconds("--sample", sample_, kShortestSample, engine::kMaxSample);
    if (!time.ok()) return time.status();
    options->sample_for = *time;
    return absl::OkStatus();
  }

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
  std::string sample_ = "300ms";
  bool no_sample_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePlan() { return std::make_unique<Plan>(); }

}  // namespace evenkeel::cli
