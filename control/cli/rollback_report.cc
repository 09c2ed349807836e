// SPDX-License-Identifier: Apache-2.0
#include "control/cli/rollback_report.h"

#include "control/cli/apply_report.h"
#include "control/cli/cat.h"
#include "control/cli/plan_report.h"
#include "control/cli/standing.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"
#include "control/json/revision.h"

namespace evenkeel::cli {
namespace {

using Kind = engine::Outcome::Kind;

constexpr char kSchema[] = "evenkeel.rollback/v1";

nlohmann::ordered_json Document(const engine::Outcome& outcome, std::string_view word) {
  nlohmann::ordered_json document = {{"schema", kSchema},
                                     {"outcome", std::string(word)},
                                     {"revision", outcome.applied.revision},
                                     {"etag", outcome.applied.etag},
                                     {"digest", outcome.applied.digest.ToHex()}};
  json::AddStanding(outcome.applied, &document);
  return document;
}

void PrintRolledBack(Session& session, const engine::Outcome& outcome) {
  Printer out = session.Out();
  const engine::Applied& applied = outcome.applied;
  out.Put(Cat("Rolled back: the state of revision ", applied.restores, " is in force again"),
          Style::kGood)
      .Line(Cat(" as revision ", applied.revision, " (digest ", applied.digest.ToShort(), ")"));
  if (outcome.publish) PrintPublished(out, {}, *outcome.publish);
  PrintPoolChanges(out, outcome.verdict, /*all=*/false);
  PrintViolations(out, {}, outcome.verdict);
}

}  // namespace

ExitCode ReportNotDone(Session& session, const engine::Outcome& outcome) {
  if (outcome.kind == Kind::kInvalid) {
    return session.FailUsage(outcome.diagnostics.empty() ? "the daemon calls it invalid"
                                                         : outcome.diagnostics[0].ToString());
  }
  if (outcome.kind != Kind::kStale) {
    return session.Fail(outcome.status.ok()
                            ? absl::InternalError("the daemon's answer has no result")
                            : outcome.status);
  }
  const ExitCode code = outcome.rolled_back ? ExitCode::kRolledBack : ExitCode::kConflict;
  if (session.json()) {
    nlohmann::ordered_json document =
        Document(outcome, outcome.rolled_back ? "rolled_back" : "stale");
    document["message"] = std::string(outcome.status.message());
    session.PrintJson(document);
  }
  session.Err().Put("evenkeel: ", Style::kBad).Line(std::string(outcome.status.message()));
  return code;
}

ExitCode ReportRollback(Session& session, const engine::Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::kApplied:
      if (session.json()) {
        session.PrintJson(Document(outcome, "rolled_back"));
      } else {
        PrintRolledBack(session, outcome);
      }
      return ExitCode::kDone;
    case Kind::kNoChange:
      if (session.json()) {
        session.PrintJson(Document(outcome, "no_change"));
      } else {
        session.Out().Line("No change: this is the state in force", Style::kGood);
      }
      return ExitCode::kDone;
    case Kind::kRefused: {
      if (session.json()) session.PrintJson(Document(outcome, "refused"));
      Printer err = session.Err();
      PrintViolations(err, {}, outcome.verdict);
      err.Line(Cat("REFUSED by ", RefusingRules(outcome.verdict), "; nothing changed"),
               Style::kBad);
      return ExitCode::kRefused;
    }
    default:
      return ReportNotDone(session, outcome);
  }
}

}  // namespace evenkeel::cli
