// SPDX-License-Identifier: Apache-2.0
//
// A plan as people read it: what moves where, and every rule's verdict. Used by plan and apply.
#ifndef EVENKEEL_CONTROL_CLI_PLAN_REPORT_H_
#define EVENKEEL_CONTROL_CLI_PLAN_REPORT_H_

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "control/cli/config_diff.h"
#include "control/cli/exit_code.h"
#include "control/cli/input.h"
#include "control/cli/plan_file.h"
#include "control/cli/session.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// What the user asked for.
struct ChangeOptions {
  std::string path;
  std::string pool;  // send only this one
  std::string etag;
  bool detailed_exitcode = false;
  bool fail_on_warn = false;
  bool all = false;                // print every backend
  std::string plan_path;           // of the plan that was saved, or is to be applied
  std::optional<SavedPlan> saved;  // to be applied, instead of the file at `path`
  engine::Consent consent;
  std::optional<engine::Edit> edit;         // instead of a file; `path` says it in words
  std::chrono::milliseconds sample_for{0};  // as of engine::Request
};

struct Planned {
  ConfigFile file;
  engine::Change change;
  engine::Consent consent;
  engine::Outcome outcome;
  // Field by field against the state that the plan was made against; empty where that was not
  // known any more.
  std::vector<Difference> differences;
  // That state; nullopt where it was not known any more.
  std::optional<engine::Applied> base;
};

// Reads the file, or takes the saved plan's change, and asks the daemon for the plan. An error is
// of the call itself; a bad file, a refusal or a stale etag is in the result.
absl::StatusOr<Planned> RequestPlan(Session& session, const ChangeOptions& options);

// Prints the plan in the session's format, or what prevents one, and returns plan's exit code.
ExitCode ReportPlan(Session& session, const ChangeOptions& options, const Planned& planned);

// The parts of the above, for apply.
void PrintPlan(Printer& out, const ChangeOptions& options, const Planned& planned);
nlohmann::ordered_json PlanJson(const ChangeOptions& options, const Planned& planned);
ExitCode PlanExitCode(const ChangeOptions& options, const engine::Outcome& outcome);
// Each pool's and VIP's change; `all`: without leaving out small ones.
void PrintPoolChanges(Printer& out, const guard::Verdict& verdict, bool all);

// "error", "refuse", "warn", "pass": of what a plan or apply ended with.
std::string_view OutcomeVerdict(const engine::Outcome& outcome);
// The state's number for people: "revision 7", "the empty state".
std::string RevisionName(uint64_t revision);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PLAN_REPORT_H_
