// SPDX-License-Identifier: Apache-2.0
#include "control/cli/history_report.h"

#include <algorithm>
#include <cmath>

#include "control/cli/cat.h"
#include "control/cli/plan_report.h"
#include "control/cli/standing.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"
#include "control/engine/verdict_json.h"
#include "control/json/revision.h"

namespace evenkeel::cli {
namespace {

constexpr size_t kPoolsInBrief = 3;
constexpr size_t kBackendsInBrief = 3;

Style StyleOf(history::Outcome outcome) {
  switch (outcome) {
    case history::Outcome::kApplied:
      return Style::kGood;
    case history::Outcome::kPending:
      return Style::kWarn;
    case history::Outcome::kFailed:
    case history::Outcome::kRefused:
      break;
  }
  return Style::kBad;
}

// What became of it after it was applied; nothing where it simply stayed.
void PrintEnding(Printer& out, const history::Revision& r, int64_t now_unix_ns) {
  if (r.restores != 0) out.Hanging(7, {""}, Cat("brings back revision ", r.restores), 0);
  const std::string by = Cat(UtcTime(r.settled_unix_ns), " by ", r.settled_by,
                             r.settled_why.empty() ? "" : Cat(": ", r.settled_why));
  switch (r.standing) {
    case history::Standing::kAwaiting:
      out.Hanging(7, {"awaits its confirmation until", Style::kWarn},
                  Deadline(r.deadline_unix_ns, now_unix_ns));
      break;
    case history::Standing::kRolledBack:
      out.Hanging(7, {"rolled back", Style::kBad}, by);
      break;
    case history::Standing::kCarriedOn:
      out.Hanging(7, {Cat("carried on by revision ", r.carried_on_by), Style::kWarn}, by);
      break;
    case history::Standing::kConfirmed:
      if (r.settled_unix_ns != 0) out.Hanging(7, {"confirmed", Style::kGood}, by);
      break;
  }
  if (r.good_unix_ns != 0) {
    out.Hanging(7, {"known as good since", Style::kGood}, UtcTime(r.good_unix_ns));
  }
}

void PrintHead(Printer& out, const history::Revision& r, int64_t now_unix_ns) {
  const std::string number = r.number == 0 ? "-" : Cat(r.number);
  out.Put(Cat(std::string(number.size() < 5 ? 5 - number.size() : 0, ' '), number, "  "),
          Style::kBold)
      .Put(json::OutcomeWord(r.outcome), StyleOf(r.outcome))
      .Line(Cat("  ", UtcTime(r.created_unix_ns), " (", Ago(r.created_unix_ns, now_unix_ns), ")  ",
                r.author, r.source.empty() ? "" : Cat(" via ", r.source),
                r.ticket.empty() ? "" : Cat(", ", r.ticket)));
  if (!r.reason.empty()) out.Hanging(7, {""}, r.reason, 0);
  if (!r.error.empty()) out.Hanging(7, {"error:", Style::kBad}, r.error);
}

// "web: web-5 0.00 % to 20.00 %, web-1 25.00 % to 20.00 %, 3 more".
std::string BriefShares(const guard::PoolChange& pool) {
  std::vector<guard::BackendChange> changed;
  for (const guard::BackendChange& b : pool.backends) {
    if (b.share_before != b.share_after) changed.push_back(b);
  }
  // As they are shown: one slot more is no larger change.
  const auto points = [](const guard::BackendChange& b) {
    return std::lround(std::abs(b.share_after - b.share_before) * 1e4);
  };
  std::stable_sort(changed.begin(), changed.end(),
                   [&](const auto& a, const auto& b) { return points(a) > points(b); });
  std::string text = Cat(pool.pool, ":");
  for (size_t i = 0; i < changed.size() && i < kBackendsInBrief; ++i) {
    text += Cat(i > 0 ? ", " : " ", changed[i].name, " ", Percent(changed[i].share_before), " to ",
                Percent(changed[i].share_after));
  }
  if (changed.empty()) return text + Cat(" ", KindWord(pool.kind), ", no share");
  if (changed.size() > kBackendsInBrief) {
    text += Cat(", ", changed.size() - kBackendsInBrief, " more");
  }
  return text;
}

// What it did to the shares, and the rules that warned; those that refused are its error.
void PrintBriefly(Printer& out, const history::Revision& r, const guard::Verdict& verdict) {
  size_t printed = 0;
  for (const guard::PoolChange& pool : verdict.pools) {
    if (printed++ == kPoolsInBrief) {
      out.Hanging(7, {""}, Cat(Plural(verdict.pools.size() - kPoolsInBrief, "pool"), " more"), 0);
      break;
    }
    out.Hanging(7, {""}, BriefShares(pool), 0);
  }
  if (r.outcome != history::Outcome::kApplied) return;
  std::string warnings;
  for (const guard::Violation& v : verdict.violations) {
    warnings += Cat(warnings.empty() ? "" : ", ", v.rule, " ", v.name, " (", v.subject, ")");
  }
  if (!warnings.empty()) out.Hanging(7, {"warned:", Style::kWarn}, warnings);
}

}  // namespace

void PrintRevisions(Printer& out, const std::vector<history::Revision>& revisions,
                    int64_t now_unix_ns) {
  for (const history::Revision& r : revisions) {
    PrintHead(out, r, now_unix_ns);
    if (const auto verdict = engine::VerdictFromJson(r.verdict_json); verdict.ok()) {
      PrintBriefly(out, r, *verdict);
    }
    if (r.outcome == history::Outcome::kApplied) PrintEnding(out, r, now_unix_ns);
  }
}

void PrintRevision(Printer& out, const history::Revision& r, int64_t now_unix_ns) {
  PrintHead(out, r, now_unix_ns);
  out.Hanging(7, {"digest"}, r.digest);
  if (r.outcome == history::Outcome::kApplied) PrintEnding(out, r, now_unix_ns);
  out.End();
  const auto verdict = engine::VerdictFromJson(r.verdict_json);
  if (!verdict.ok()) {
    out.Line(std::string(verdict.status().message()), Style::kWarn);
    return;
  }
  PrintPoolChanges(out, *verdict, /*all=*/true);
  ConfigFile file;
  file.path = Cat("revision ", r.number);
  PrintViolations(out, file, *verdict);
  if (verdict->violations.empty()) out.Line("Every rule passed", Style::kGood);
}

void PrintHealthChanges(Printer& out, const std::vector<history::HealthChange>& changes,
                        int64_t now_unix_ns) {
  std::vector<std::vector<Cell>> rows;
  for (const history::HealthChange& change : changes) {
    Cell now{"back", Style::kGood};
    if (change.permille == 0) now = {"out", Style::kBad};
    // A step on its way back: so much of its share.
    if (change.permille > 0 && change.permille < 1000) {
      now = {Percent(change.permille / 1000.0, 1), Style::kWarn};
    }
    rows.push_back({{UtcTime(change.unix_ns)},
                    {Ago(change.unix_ns, now_unix_ns), Style::kDim},
                    now,
                    {Cat(change.pool, "/", change.backend), Style::kBold},
                    {change.server},
                    {change.cause}});
  }
  out.Table(0, rows);
}

}  // namespace evenkeel::cli
