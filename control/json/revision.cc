// SPDX-License-Identifier: Apache-2.0
#include "control/json/revision.h"

#include <string>

#include "control/json/time.h"

namespace evenkeel::json {
namespace {

using nlohmann::ordered_json;

ordered_json RecordedVerdict(const history::Revision& revision) {
  auto verdict = ordered_json::parse(revision.verdict_json, nullptr, false);
  return verdict.is_discarded() ? ordered_json() : verdict;
}

}  // namespace

std::string_view OutcomeWord(history::Outcome outcome) {
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

std::string_view StandingWord(history::Standing standing) {
  switch (standing) {
    case history::Standing::kAwaiting:
      return "awaiting";
    case history::Standing::kRolledBack:
      return "rolled_back";
    case history::Standing::kCarriedOn:
      return "carried_on";
    case history::Standing::kConfirmed:
      break;
  }
  return "confirmed";
}

void AddStanding(const engine::Applied& applied, ordered_json* document) {
  (*document)["ticket"] = applied.ticket;
  (*document)["standing"] = std::string(StandingWord(applied.standing));
  (*document)["confirm_by"] = Rfc3339(applied.deadline_unix_ns);
  (*document)["auto_confirm"] = applied.auto_confirm;
  (*document)["restores"] = applied.restores;
}

ordered_json ToJson(const history::Revision& revision) {
  const bool applied = revision.outcome == history::Outcome::kApplied;
  return {{"revision", revision.number},
          {"outcome", std::string(OutcomeWord(revision.outcome))},
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
          {"good_at", Rfc3339(revision.good_unix_ns)},
          {"verdict", RecordedVerdict(revision)}};
}

ordered_json ToJson(const history::HealthChange& change) {
  return {{"time", Rfc3339(change.unix_ns)},
          {"pool", change.pool},
          {"backend", change.backend},
          {"server", change.server},
          {"out", change.permille == 0},
          {"share", change.permille / 1000.0},
          {"cause", change.cause}};
}

}  // namespace evenkeel::json
