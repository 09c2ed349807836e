// SPDX-License-Identifier: Apache-2.0
//
// LB014: one change at a time, and time to see what it did.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/changes.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3600 * kSecond;

void CheckPending(const Case& c, Report& report) {
  const uint64_t pending = c.facts.live->pending_revision;
  if (pending == 0) return;
  Finding& finding = report.Add(Severity::kBlock, absl::StrCat("revisions/", pending), "");
  finding.violation.observed = absl::StrCat("revision ", pending, " awaits its confirmation");
  finding.violation.limit = "one change at a time";
  finding.violation.fix = "confirm or cancel it first: `evenkeel confirm`, `evenkeel cancel`";
}

Finding& AddTooFast(const PoolState& state, std::string observed, int64_t wait, Report& report) {
  Finding& finding = report.Add(Severity::kBlock, absl::StrCat("pools/", state.pool->name),
                                absl::StrCat("pools[", state.index, "]"));
  finding.violation.pool = state.pool->name;
  finding.violation.observed = std::move(observed);
  finding.violation.limit = report.limit;
  finding.violation.fix = absl::StrFormat(
      "try again in %d s; put changes that belong together "
      "into one update",
      (wait + kSecond - 1) / kSecond);
  finding.edits = {{Edit::Kind::kKeepPool, state.pool->name, "", 0}};
  return finding;
}

// Ages of the pool's changes of the last hour, newest first. What the clock, set back, puts into
// the future does not count: it could hold a pool up for as long as the clock was wrong.
std::vector<int64_t> AgesOf(const std::string& pool, const LiveFacts& live) {
  std::vector<int64_t> ages;
  for (const PastChange& change : *live.changes) {
    const int64_t age = live.now_unix_ns - change.unix_ns;
    if (change.pool == pool && age >= 0 && age < kHour) ages.push_back(age);
  }
  std::sort(ages.begin(), ages.end());
  return ages;
}

void CheckPool(const Case& c, const PoolState& state, Report& report) {
  const Pace& pace = c.facts.live->pace;
  const std::vector<int64_t> ages = AgesOf(state.pool->name, *c.facts.live);
  if (ages.size() >= pace.per_hour) {
    AddTooFast(state, absl::StrCat(ages.size(), " changes of the pool in the last hour"),
               kHour - ages[pace.per_hour - 1], report);
  } else if (!ages.empty() && ages.front() < pace.gap_ns) {
    AddTooFast(state, absl::StrFormat("the pool changed %d s ago", ages.front() / kSecond),
               pace.gap_ns - ages.front(), report);
  }
}

}  // namespace

void CheckPace(const Case& c, Report& report) {
  const Pace pace = c.facts.live ? c.facts.live->pace : Pace{};
  report.limit = absl::StrFormat(
      "one change of a pool in %d s, %d in an hour, none while one "
      "awaits its confirmation",
      pace.gap_ns / kSecond, pace.per_hour);
  if (IsOffline(c, report)) return;
  std::vector<const PoolState*> changed;
  for (const PoolState& state : c.fleet.pools) {
    const PoolState* before = c.running->Find(state.pool->name);
    if (before != nullptr && !IsUntouched(*before, state)) changed.push_back(&state);
  }
  report.observed = Count(changed.size(), "pool") + " changed";
  if (c.fleet.fleet->HasConfigOf(*c.running->fleet)) return;
  CheckPending(c, report);
  if (changed.empty()) return;
  const auto& changes = c.facts.live->changes;
  if (!changes.ok()) {
    AddLacking("what changed in the last hour", changes.status(), report);
    return;
  }
  for (const PoolState* state : changed) CheckPool(c, *state, report);
}

}  // namespace evenkeel::guard
