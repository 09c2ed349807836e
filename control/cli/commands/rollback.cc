// SPDX-License-Identifier: Apache-2.0
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/rollback_report.h"

namespace evenkeel::cli {
namespace {

// The way out of an outage: it asks nothing and demands nothing but its name.
class Rollback final : public Command {
 public:
  void Declare(CLI::App& app) override {
    CLI::Option* revision =
        app.add_option("revision", rollback_.target,
                       "Whose state to bring back; default: the last confirmed one before")
            ->type_name("REVISION")
            ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62).description(""));
    app.add_flag("--last-good", rollback_.last_good,
                 "To the last revision that is known as good instead")
        ->excludes(revision);
    app.add_flag("--purge-pinned", rollback_.purge_pinned,
                 "Let go of the connections that the state in force attracted");
    app.add_option("-r,--reason", rollback_.reason, "Why; recorded with the revision")
        ->type_name("TEXT");
    app.add_option("--ticket", rollback_.ticket, "Of your tracker; recorded with the revision")
        ->type_name("TICKET");
  }

  ExitCode Run(Session& session) override {
    const absl::StatusOr<engine::Applied> current = session.daemon().Get();
    if (!current.ok()) return session.Fail(current.status());
    if (current->revision == 0) {
      return session.Fail(
          absl::FailedPreconditionError("nothing was applied yet, there is nothing to go back to"));
    }
    // What it was decided upon: somebody else's rollback meanwhile is not to be undone.
    rollback_.from = current->revision;
    if (rollback_.reason.empty()) {
      rollback_.reason =
          Cat("rolled back from revision ", current->revision, " (by ", current->author, ")");
    }
    return ReportRollback(session, session.daemon().RollBack(rollback_));
  }

 private:
  engine::Rollback rollback_;
};

}  // namespace

std::unique_ptr<Command> MakeRollback() { return std::make_unique<Rollback>(); }

}  // namespace evenkeel::cli
