// SPDX-License-Identifier: Apache-2.0
//
// `confirm` and `cancel`: the two ends of a revision that awaits its confirmation.
#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/rollback_report.h"
#include "control/cli/standing.h"
#include "control/json/revision.h"

namespace evenkeel::cli {
namespace {

class Settle : public Command {
 public:
  void Declare(CLI::App& app) override {
    app.add_option("revision", settlement_.revision,
                   "Only if it is this one that awaits; default: whichever does")
        ->type_name("REVISION");
    app.add_option("-r,--reason", settlement_.reason, "Why; recorded with the revision")
        ->type_name("TEXT");
  }

 protected:
  engine::Settlement settlement_;
};

class Confirm final : public Settle {
 public:
  ExitCode Run(Session& session) override {
    const engine::Outcome outcome = session.daemon().Confirm(settlement_);
    if (outcome.kind != engine::Outcome::Kind::kConfirmed) return ReportNotDone(session, outcome);
    if (session.json()) {
      nlohmann::ordered_json document = {{"schema", "evenkeel.confirm/v1"},
                                         {"outcome", "confirmed"},
                                         {"revision", outcome.applied.revision},
                                         {"etag", outcome.applied.etag}};
      json::AddStanding(outcome.applied, &document);
      session.PrintJson(document);
      return ExitCode::kDone;
    }
    session.Out().Line(Cat("Revision ", outcome.applied.revision, " confirmed; it stays"),
                       Style::kGood);
    return ExitCode::kDone;
  }
};

class Cancel final : public Settle {
 public:
  ExitCode Run(Session& session) override {
    return ReportRollback(session, session.daemon().Cancel(settlement_));
  }
};

}  // namespace

std::unique_ptr<Command> MakeConfirm() { return std::make_unique<Confirm>(); }
std::unique_ptr<Command> MakeCancel() { return std::make_unique<Cancel>(); }

}  // namespace evenkeel::cli
