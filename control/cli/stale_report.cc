// SPDX-License-Identifier: Apache-2.0
#include "control/cli/stale_report.h"

#include <algorithm>

#include "control/cli/cat.h"
#include "control/cli/config_diff.h"
#include "control/cli/history_report.h"
#include "control/cli/stored_state.h"
#include "control/cli/text.h"
#include "control/json/revision.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;

constexpr uint32_t kRevisionsAsked = 20;
constexpr size_t kRevisionsShown = 5;

// What was applied since `base`; without a base, the newest one. Empty where it cannot be known:
// the report is the poorer for it, not wrong.
std::vector<history::Revision> Since(Session& session, const std::optional<engine::Applied>& base) {
  absl::StatusOr<std::vector<history::Revision>> all =
      session.daemon().ListRevisions(kRevisionsAsked);
  if (!all.ok()) return {};
  std::vector<history::Revision> since;
  for (history::Revision& revision : *all) {
    if (revision.outcome != history::Outcome::kApplied) continue;
    if (base ? revision.number > base->revision : since.empty()) since.push_back(revision);
  }
  if (since.size() > kRevisionsShown) since.resize(kRevisionsShown);
  return since;
}

std::string Retry(const ChangeOptions& options, std::string_view command) {
  if (options.saved) {
    return Cat("evenkeel plan -f ", options.path,
               options.pool.empty() ? "" : Cat(" --pool ", options.pool), " --out ",
               options.plan_path);
  }
  return Cat("evenkeel ", command, " -f ", options.path,
             options.pool.empty() ? "" : Cat(" --pool ", options.pool),
             command == "apply" ? " --reason ..." : "");
}

// What the saved plan was made against. Without its configuration where the daemon has it no more.
engine::Applied BaseOf(Session& session, const SavedPlan& plan, bool& known) {
  engine::Applied base;
  base.revision = plan.revision;
  absl::StatusOr<StoredState> stored = LoadState(session, std::to_string(plan.revision));
  known = stored.ok();
  if (known) base.config = std::move(stored->config);
  return base;
}

std::string Message(const ChangeOptions& options, uint64_t current,
                    const std::optional<engine::Applied>& base) {
  const std::string now = Cat("nothing changed: the state is now ", RevisionName(current));
  if (options.saved) {
    return Cat(now, ", and the plan ", options.plan_path, " was made against ",
               RevisionName(options.saved->revision));
  }
  return Cat(now, base ? Cat(", not ", RevisionName(base->revision), " any more")
                       : ", not the one that the given etag belongs to");
}

// Replacing the whole state by an older file would take the others' change back.
std::string Advice(const ChangeOptions& options, std::string_view command) {
  return Cat(options.pool.empty() ? "Bring their change into your file (see evenkeel diff "
                                    "-f FILE), then: "
                                  : "Look at the new plan, then: ",
             Retry(options, command));
}

}  // namespace

ExitCode ReportStale(Session& session, const ChangeOptions& options, const engine::Outcome& outcome,
                     const std::optional<engine::Applied>& planned_base, std::string_view command) {
  std::optional<engine::Applied> base = planned_base;
  bool base_known = base.has_value();
  if (!base && options.saved) base = BaseOf(session, *options.saved, base_known);
  const std::vector<history::Revision> since = Since(session, base);
  std::vector<Difference> differences;
  uint64_t current = outcome.applied.revision;
  if (const absl::StatusOr<engine::Applied> now = session.daemon().Get(); now.ok()) {
    current = now->revision;
    if (base_known) differences = DiffConfigs(base->config, now->config);
  }
  const std::string message = Message(options, current, base);

  if (session.json()) {
    ordered_json revisions = ordered_json::array();
    for (const history::Revision& revision : since) revisions.push_back(json::ToJson(revision));
    session.PrintJson({{"schema", "evenkeel.stale/v1"},
                       {"verdict", "error"},
                       {"outcome", "stale"},
                       {"message", message},
                       {"revision", current},
                       {"etag", outcome.applied.etag},
                       {"revisions", revisions},
                       {"differences", ToJson(differences)},
                       {"violations", ordered_json::array()}});
  }
  Printer err = session.Err();
  err.Put("evenkeel: ", Style::kBad).Line(message);
  PrintRevisions(err, since, session.env.now_unix_ns());
  PrintDifferences(err, 2, differences);
  err.Line(Advice(options, command));
  return ExitCode::kConflict;
}

}  // namespace evenkeel::cli
