// SPDX-License-Identifier: Apache-2.0
#include "control/cli/history_report.h"

#include "control/cli/cat.h"
#include "control/cli/standing.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

std::string_view Word(history::Outcome outcome) {
  switch (outcome) {
    case history::Outcome::kPending:
      return "pending";
    case history::Outcome::kApplied:
      return "applied";
    case history::Outcome::kFailed:
      return "failed";
    case history::Outcome::kRefused:
      break;
  }
  return "refused";
}

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

}  // namespace

nlohmann::ordered_json ToJson(const history::Revision& revision) {
  const bool applied = revision.outcome == history::Outcome::kApplied;
  return {{"revision", revision.number},
          {"outcome", std::string(Word(revision.outcome))},
          {"author", revision.author},
          {"reason", revision.reason},
          {"ticket", revision.ticket},
          {"source", revision.source},
          {"created_at", Rfc3339(revision.created_unix_ns)},
          {"digest", revision.digest},
          {"error", revision.error},
          {"base", revision.base},
          {"restores", revision.restores},
          {"standing", applied ? std::string(StandingWord(revision.standing)) : ""},
          {"confirm_by", Rfc3339(revision.deadline_unix_ns)},
          {"settled_at", Rfc3339(revision.settled_unix_ns)},
          {"settled_by", revision.settled_by},
          {"settled_why", revision.settled_why},
          {"carried_on_by", revision.carried_on_by},
          {"good_at", Rfc3339(revision.good_unix_ns)}};
}

void PrintRevisions(Printer& out, const std::vector<history::Revision>& revisions,
                    int64_t now_unix_ns) {
  for (const history::Revision& r : revisions) {
    const std::string number = r.number == 0 ? "-" : Cat(r.number);
    out.Put(Cat(std::string(number.size() < 5 ? 5 - number.size() : 0, ' '), number, "  "),
            Style::kBold)
        .Put(Word(r.outcome), StyleOf(r.outcome))
        .Line(Cat("  ", UtcTime(r.created_unix_ns), " (", Ago(r.created_unix_ns, now_unix_ns),
                  ")  ", r.author, r.source.empty() ? "" : Cat(" via ", r.source),
                  r.ticket.empty() ? "" : Cat(", ", r.ticket)));
    if (!r.reason.empty()) out.Hanging(7, {""}, r.reason, 0);
    if (!r.error.empty()) out.Hanging(7, {"error:", Style::kBad}, r.error);
    if (r.outcome == history::Outcome::kApplied) PrintEnding(out, r, now_unix_ns);
  }
}

}  // namespace evenkeel::cli
