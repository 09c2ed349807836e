// SPDX-License-Identifier: Apache-2.0
//
// LB016: times in which nothing is changed, as the host and the running state have them: a change
// cannot end the freeze that it falls into.
#include "absl/strings/str_cat.h"
#include "control/guard/changes.h"
#include "control/guard/rules/rules.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// The freeze of a list that lasts longest from now on, or null.
const model::Freeze* InForce(const std::vector<model::Freeze>& freezes, int64_t now_unix_ns) {
  const model::Freeze* longest = nullptr;
  for (const model::Freeze& freeze : freezes) {
    const int64_t now = now_unix_ns / kSecond;
    if (now < freeze.from_unix_s || now >= freeze.to_unix_s) continue;
    if (longest == nullptr || freeze.to_unix_s > longest->to_unix_s) longest = &freeze;
  }
  return longest;
}

void CheckList(const Case& c, const std::vector<model::Freeze>& freezes, std::string_view whose,
               const std::string& pool, Report& report) {
  const model::Freeze* freeze = InForce(freezes, c.facts.live->now_unix_ns);
  if (freeze == nullptr) return;
  const std::string until = model::TimestampText(freeze->to_unix_s);
  Finding& finding =
      report.Add(Severity::kBlock, pool.empty() ? "policy" : absl::StrCat("pools/", pool), "");
  finding.violation.pool = pool;
  finding.violation.observed =
      absl::StrCat("frozen by ", model::Av(whose), " until ", until, ": ", freeze->reason);
  finding.violation.limit = report.limit;
  finding.violation.fix = absl::StrCat("apply it after ", until,
                                       "; a rollback and the drain of one host are not held up");
}

}  // namespace

void CheckFreeze(const Case& c, Report& report) {
  report.limit = "no change in a freeze";
  if (IsOffline(c, report)) return;
  report.observed = "nothing changed";
  if (c.fleet.fleet->HasConfigOf(*c.running->fleet)) return;
  report.observed = "no freeze";
  CheckList(c, c.facts.host_policy.freeze, "this host's policy", "", report);
  CheckList(c, c.running->fleet->policy.freeze, "the running policy", "", report);
  for (const PoolState& before : c.running->pools) {
    const std::vector<model::Freeze>& freezes = before.pool->policy.freeze;
    if (freezes.empty()) continue;
    const PoolState* after = c.fleet.Find(before.pool->name);
    if (after != nullptr && IsUntouched(before, *after)) continue;
    CheckList(c, freezes, "the pool's running policy", before.pool->name, report);
  }
}

}  // namespace evenkeel::guard
