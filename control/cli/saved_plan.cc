// SPDX-License-Identifier: Apache-2.0
#include "control/cli/saved_plan.h"

#include <set>

#include "control/cli/plan_file.h"

namespace evenkeel::cli {

using Kind = engine::Outcome::Kind;

absl::Status TakePlanFile(const std::string& path, ChangeOptions& options) {
  if (!options.path.empty() || !options.pool.empty() || !options.etag.empty()) {
    return absl::InvalidArgumentError(
        "a saved plan is applied as it is; --file, --pool and --etag belong to evenkeel plan");
  }
  absl::StatusOr<SavedPlan> plan = ReadPlanFile(path);
  if (!plan.ok()) return plan.status();
  options.path = plan->source;
  options.pool = plan->pool;
  options.etag = plan->etag;
  options.plan_path = path;
  options.saved = *std::move(plan);
  return absl::OkStatus();
}

bool CanBeSaved(const Planned& planned) {
  return planned.outcome.kind == Kind::kValidated || planned.outcome.kind == Kind::kNoChange;
}

absl::Status SavePlan(const std::string& path, const ChangeOptions& options, const Planned& planned,
                      int64_t now_unix_ns) {
  std::set<std::string> rules;
  for (const guard::Violation& v : planned.outcome.verdict.violations) rules.insert(v.rule);
  SavedPlan plan;
  plan.source = options.path;
  plan.pool = options.pool;
  plan.change = planned.change;
  plan.etag = planned.outcome.applied.etag;
  plan.revision = planned.outcome.applied.revision;
  plan.verdict = OutcomeVerdict(planned.outcome);
  plan.rules.assign(rules.begin(), rules.end());
  plan.created_unix_ns = now_unix_ns;
  return WritePlanFile(path, plan);
}

}  // namespace evenkeel::cli
