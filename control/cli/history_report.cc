// SPDX-License-Identifier: Apache-2.0
#include "control/cli/history_report.h"

#include "control/cli/cat.h"
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

}  // namespace

nlohmann::ordered_json ToJson(const history::Revision& revision) {
  return {{"revision", revision.number}, {"outcome", std::string(Word(revision.outcome))},
          {"author", revision.author},   {"reason", revision.reason},
          {"source", revision.source},   {"created_at", Rfc3339(revision.created_unix_ns)},
          {"digest", revision.digest},   {"error", revision.error}};
}

void PrintRevisions(Printer& out, const std::vector<history::Revision>& revisions,
                    int64_t now_unix_ns) {
  for (const history::Revision& r : revisions) {
    const std::string number = r.number == 0 ? "-" : Cat(r.number);
    out.Put(Cat(std::string(number.size() < 5 ? 5 - number.size() : 0, ' '), number, "  "),
            Style::kBold)
        .Put(Word(r.outcome), StyleOf(r.outcome))
        .Line(Cat("  ", UtcTime(r.created_unix_ns), " (", Ago(r.created_unix_ns, now_unix_ns),
                  ")  ", r.author, r.source.empty() ? "" : Cat(" via ", r.source)));
    if (!r.reason.empty()) out.Hanging(7, {""}, r.reason, 0);
    if (!r.error.empty()) out.Hanging(7, {"error:", Style::kBad}, r.error);
  }
}

}  // namespace evenkeel::cli
