// SPDX-License-Identifier: Apache-2.0
#include "control/cli/plan_report.h"

#include "absl/strings/match.h"
#include "control/cli/cat.h"
#include "control/cli/server_changes.h"
#include "control/cli/stale_report.h"
#include "control/cli/text.h"
#include "control/cli/traffic_report.h"
#include "control/cli/verdict_report.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;
using Kind = engine::Outcome::Kind;

// As the daemon does, for the differences that are shown.
model::Config ApplyEdit(model::Config config, const engine::Edit& edit) {
  for (model::Pool& pool : config.pools) {
    if (!edit.pool.empty() && pool.name != edit.pool) continue;
    for (model::Backend& backend : pool.backends) {
      if (backend.name != edit.backend) continue;
      if (edit.state) backend.state = *edit.state;
      if (edit.weight) backend.weight = *edit.weight;
    }
  }
  return config;
}

model::Config ApplyChange(model::Config config, const engine::Change& change) {
  if (change.config) return *change.config;
  if (change.edit) return ApplyEdit(std::move(config), *change.edit);
  for (model::Pool& pool : config.pools) {
    if (pool.name == change.pool->name) {
      pool = *change.pool;
      return config;
    }
  }
  config.pools.push_back(*change.pool);
  return config;
}

// The file, or the saved plan in its place, which has no lines to point at.
absl::Status ReadInput(const ChangeOptions& options, Planned& planned) {
  if (options.saved) {
    planned.file.path = options.plan_path;
    planned.change = options.saved->change;
    return absl::OkStatus();
  }
  if (options.edit) {
    planned.file.path = options.path;
    planned.change.edit = options.edit;
    return absl::OkStatus();
  }
  planned.file = ReadConfigFile(options.path);
  if (!planned.file.ok()) return absl::OkStatus();
  absl::StatusOr<engine::Change> change = MakeChange(planned.file, options.pool);
  if (change.ok()) planned.change = *std::move(change);
  return change.status();
}

// Of a command that edits one backend: by what the user wrote, not by the API's field.
void NameAsOptions(std::vector<model::Diagnostic>& diagnostics) {
  for (model::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.field == "edit.pool") diagnostic.field = "--pool";
    if (diagnostic.field == "edit.backend") diagnostic.field = "BACKEND";
  }
}

void PrintVipsAndFields(Printer& out, const std::vector<Difference>& differences) {
  if (differences.empty()) return;
  out.Line("Changed fields:");
  PrintDifferences(out, 2, differences);
  out.End();
}

// Fields, without the objects of added pools that the share tables show already.
std::vector<Difference> Shortened(const std::vector<Difference>& differences, bool all) {
  constexpr size_t kListed = 40;
  if (all || differences.size() <= kListed) return differences;
  return {differences.begin(), differences.begin() + kListed};
}

void PrintVerdict(Printer& out, const guard::Verdict& verdict) {
  switch (verdict.severity) {
    case guard::Severity::kPass:
      out.Line("Verdict: accepted, every rule passes", Style::kGood);
      return;
    case guard::Severity::kWarn:
      out.Line("Verdict: accepted with warnings", Style::kWarn);
      return;
    case guard::Severity::kBlock:
      out.Line(Cat("Verdict: REFUSED by ", RefusingRules(verdict), "; nothing changed"),
               Style::kBad);
  }
}

}  // namespace

std::string RevisionName(uint64_t revision) {
  return revision == 0 ? "the empty state" : Cat("revision ", revision);
}

absl::StatusOr<Planned> RequestPlan(Session& session, const ChangeOptions& options) {
  Planned planned;
  if (absl::Status status = ReadInput(options, planned); !status.ok()) return status;
  if (!planned.file.ok()) {
    planned.outcome.kind = Kind::kInvalid;
    planned.outcome.diagnostics = planned.file.errors;
    return planned;
  }
  engine::Request request;
  request.change = planned.change;
  request.etag = options.etag;
  request.consent = planned.consent = options.consent;
  request.sample_for = options.sample_for;
  planned.outcome = session.daemon().Plan(request);
  if (planned.outcome.kind == Kind::kFailed) {
    return planned.outcome.status.ok() ? absl::InternalError("the daemon's answer has no result")
                                       : planned.outcome.status;
  }
  if (planned.outcome.kind == Kind::kInvalid) {
    if (options.edit) NameAsOptions(planned.outcome.diagnostics);
    return planned;
  }

  const absl::StatusOr<engine::Applied> running = session.daemon().Get();
  // Not what the plan was made against where somebody was faster: then do without.
  if (running.ok() && running->etag == planned.outcome.applied.etag &&
      planned.outcome.kind != Kind::kStale) {
    planned.base = *running;
    planned.differences =
        DiffConfigs(running->config, ApplyChange(running->config, planned.change));
  }
  return planned;
}

std::string_view OutcomeVerdict(const engine::Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::kApplied:
    case Kind::kValidated:
    case Kind::kNoChange:
    case Kind::kConfirmed:
    case Kind::kRefused:
      return outcome.kind == Kind::kRefused ? "refuse" : VerdictWord(outcome.verdict.severity);
    case Kind::kInvalid:
    case Kind::kStale:
    case Kind::kFailed:
      break;
  }
  return "error";
}

ExitCode PlanExitCode(const ChangeOptions& options, const engine::Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::kRefused:
      return ExitCode::kRefused;
    case Kind::kStale:
      return ExitCode::kConflict;
    case Kind::kInvalid:
      return ExitCode::kError;
    case Kind::kFailed:
      return ExitCodeOf(outcome.status) == ExitCode::kConflict ? ExitCode::kConflict
                                                               : ExitCode::kError;
    case Kind::kApplied:
    case Kind::kValidated:
    case Kind::kConfirmed:
    case Kind::kNoChange:
      break;
  }
  if (options.fail_on_warn && outcome.verdict.severity == guard::Severity::kWarn) {
    return ExitCode::kWarnings;
  }
  const bool changes = outcome.kind != Kind::kNoChange;
  return options.detailed_exitcode && changes ? ExitCode::kChanges : ExitCode::kDone;
}

void PrintPlan(Printer& out, const ChangeOptions& options, const Planned& planned) {
  const engine::Outcome& outcome = planned.outcome;
  out.Put("Plan of ").Put(planned.file.path, Style::kBold);
  if (!options.pool.empty()) out.Put(", pool ").Put(options.pool, Style::kBold);
  out.Line(Cat(" against ", RevisionName(outcome.applied.revision))).End();

  PrintPoolChanges(out, outcome.verdict, options.all);
  PrintServerChanges(out, outcome.verdict, options.all);
  if (outcome.live_traffic) PrintLiveTraffic(out, *outcome.live_traffic, options.all);
  const std::vector<Difference> shown = Shortened(planned.differences, options.all);
  PrintVipsAndFields(out, shown);
  if (shown.size() < planned.differences.size()) {
    out.Line(Cat("... and ", planned.differences.size() - shown.size(),
                 " more changes (--all lists them)"),
             Style::kDim)
        .End();
  }
  out.Line("Rules:");
  PrintRuleResults(out, outcome.verdict);
  out.End();
  PrintViolations(out, planned.file, outcome.verdict);
  if (!outcome.verdict.violations.empty()) out.End();
  if (outcome.kind == Kind::kNoChange) {
    out.Line("No change: this is the state in force", Style::kGood);
    return;
  }
  PrintVerdict(out, outcome.verdict);
}

ordered_json PlanJson(const ChangeOptions& options, const Planned& planned) {
  const engine::Outcome& outcome = planned.outcome;
  ordered_json document = {{"schema", kCheckSchema},
                           {"verdict", std::string(OutcomeVerdict(outcome))},
                           {"violations", ViolationsJson(planned.file, outcome.verdict)}};
  if (outcome.kind == Kind::kInvalid) {
    document["errors"] = ErrorsJson(planned.file, outcome.diagnostics, options.pool);
    return document;
  }
  document["no_change"] = outcome.kind == Kind::kNoChange;
  document["revision"] = outcome.applied.revision;
  document["etag"] = outcome.applied.etag;
  document["rules"] = RuleResultsJson(outcome.verdict);
  document["pools"] = PoolChangesJson(outcome.verdict);
  document["servers"] = ServerChangesJson(outcome.verdict);
  document["vips"] = VipChangesJson(outcome.verdict);
  document["live_traffic"] = LiveTrafficJson(outcome.live_traffic);
  document["differences"] = ToJson(planned.differences);
  if (!options.plan_path.empty()) document["plan_file"] = options.plan_path;
  return document;
}

ExitCode ReportPlan(Session& session, const ChangeOptions& options, const Planned& planned) {
  const engine::Outcome& outcome = planned.outcome;
  const ExitCode exit = PlanExitCode(options, outcome);
  if (outcome.kind == Kind::kStale) {
    return ReportStale(session, options, outcome, std::nullopt, "plan");
  }
  if (session.json()) {
    session.PrintJson(PlanJson(options, planned));
    return exit;
  }
  if (outcome.kind == Kind::kInvalid) {
    Printer err = session.Err();
    PrintErrors(err, planned.file, outcome.diagnostics, options.pool);
    return exit;
  }
  Printer out = session.Out();
  PrintPlan(out, options, planned);
  return exit;
}

}  // namespace evenkeel::cli
