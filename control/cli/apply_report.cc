// SPDX-License-Identifier: Apache-2.0
#include "control/cli/apply_report.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "control/cli/cat.h"
#include "control/cli/standing.h"
#include "control/cli/text.h"
#include "control/cli/verdict_report.h"
#include "control/json/revision.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;
using Kind = engine::Outcome::Kind;

const char* OutcomeWord(Kind kind) {
  switch (kind) {
    case Kind::kApplied:
      return "applied";
    case Kind::kNoChange:
      return "no_change";
    case Kind::kValidated:
      return "validated";
    case Kind::kInvalid:
      return "invalid";
    case Kind::kRefused:
      return "refused";
    case Kind::kStale:
      return "stale";
    case Kind::kConfirmed:
      return "confirmed";
    case Kind::kFailed:
      break;
  }
  return "failed";
}

// "web/web-3" of every pool that has the server; one address may serve in several.
std::vector<std::string> NamesOf(const model::IpAddress& address, const engine::Change& change) {
  std::vector<std::string> names;
  const auto search = [&](const model::Pool& pool) {
    for (const model::Backend& backend : pool.backends) {
      if (backend.address == address) names.push_back(Cat(pool.name, "/", backend.name));
    }
  };
  if (change.pool) search(*change.pool);
  if (change.config) {
    for (const model::Pool& pool : change.config->pools) search(pool);
  }
  return names;
}

std::string Milliseconds(std::chrono::microseconds duration) {
  return absl::StrFormat("%.2f ms", static_cast<double>(duration.count()) / 1000);
}

ordered_json UnreachableJson(const Planned& planned, const publish::PublishResult& result) {
  ordered_json list = ordered_json::array();
  for (const neighbor::Resolution& r : result.unreachable) {
    list.push_back({{"address", r.address.ToString()},
                    {"backends", NamesOf(r.address, planned.change)},
                    {"problem", r.problem},
                    {"interface", r.interface}});
  }
  return list;
}

}  // namespace

void PrintPublished(Printer& out, const engine::Change& change,
                    const publish::PublishResult& result) {
  out.Line(Cat(Plural(result.tables_staged, "table"), " staged in ", Milliseconds(result.stage),
               ", verified with ", Plural(result.probes, "probe packet"), " in ",
               Milliseconds(result.verify), ", swapped in ", Milliseconds(result.swap)));
  for (const neighbor::Resolution& r : result.unreachable) {
    out.Put("  unreachable: ", Style::kBad)
        .Line(Cat(absl::StrJoin(NamesOf(r.address, change), ", "), " (", r.address.ToString(),
                  "): ", r.problem));
  }
  if (!result.unreachable.empty()) {
    out.Line(
        "  Packets of these backends are dropped and counted until they are reachable: mend "
        "the route or neighbour, or drain them.");
  }
}

ordered_json ApplyJson(const ChangeOptions& options, const Planned& planned,
                       const engine::Outcome& outcome) {
  Planned shown = planned;
  shown.outcome = outcome;
  // The answer to Apply repeats what the plan said at most in part.
  if (shown.outcome.verdict.results.empty()) {
    const guard::Verdict said = shown.outcome.verdict;
    shown.outcome.verdict = planned.outcome.verdict;
    if (outcome.kind == Kind::kRefused) {
      shown.outcome.verdict.severity = said.severity;
      shown.outcome.verdict.violations = said.violations;
    }
  }
  ordered_json document = PlanJson(options, shown);
  document["schema"] = kApplySchema;
  document["outcome"] = OutcomeWord(outcome.kind);
  if (outcome.kind != Kind::kInvalid) document["digest"] = outcome.applied.digest.ToHex();
  json::AddStanding(outcome.applied, &document);
  if (outcome.publish) {
    const publish::PublishResult& result = *outcome.publish;
    document["tables_staged"] = result.tables_staged;
    document["probes"] = result.probes;
    document["timings_us"] = {{"stage", result.stage.count()},
                              {"verify", result.verify.count()},
                              {"swap", result.swap.count()}};
    document["unreachable"] = UnreachableJson(planned, result);
  }
  return document;
}

void ReportApply(Session& session, const ChangeOptions& options, const Planned& planned,
                 const engine::Outcome& outcome) {
  if (session.json()) {
    session.PrintJson(ApplyJson(options, planned, outcome));
    return;
  }
  Printer out = session.Out();
  const engine::Applied& applied = outcome.applied;
  switch (outcome.kind) {
    case Kind::kApplied:
      out.Put(Cat("Applied as revision ", applied.revision), Style::kGood)
          .Line(Cat(" (digest ", applied.digest.ToShort(), ", etag ", applied.etag, ")"));
      if (outcome.publish) PrintPublished(out, planned.change, *outcome.publish);
      if (applied.awaits()) PrintAwaited(out, applied, session.env.now_unix_ns());
      break;
    case Kind::kNoChange:
      out.Line("No change: this is the state in force", Style::kGood);
      break;
    case Kind::kValidated:
      out.Line("Valid: the daemon would apply this; nothing changed", Style::kGood);
      break;
    case Kind::kRefused:
      PrintViolations(out, planned.file, outcome.verdict);
      out.Line(Cat("REFUSED by ", RefusingRules(outcome.verdict), "; nothing changed"),
               Style::kBad);
      break;
    case Kind::kInvalid: {
      Printer err = session.Err();
      PrintErrors(err, planned.file, outcome.diagnostics, options.pool);
      break;
    }
    case Kind::kStale:
    case Kind::kFailed:
    case Kind::kConfirmed:
      break;  // reported elsewhere
  }
}

}  // namespace evenkeel::cli
