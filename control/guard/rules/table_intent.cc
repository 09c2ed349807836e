// SPDX-License-Identifier: Apache-2.0
//
// The table must be what the weights ask for, and be the table that its digest names. This rule
// trusts neither the builder nor the caller.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

constexpr double kRelativeTolerance = 0.02;
constexpr double kSlotTolerance = 2;

void AddDefect(const PoolCase& c, std::string_view observed, Report& report) {
  Finding& finding = report.Add(Severity::kBlock, "", absl::StrCat("pools[", c.state.index, "]"));
  finding.violation.observed = observed;
  finding.violation.limit = "the table is the one that this configuration builds";
  finding.violation.fix =
      "build the table again from the configuration; if that does not help, "
      "it is a defect of the builder: report it";
}

bool SameServers(const PoolState& state) {
  const auto& built = state.built->table->servers;
  return std::equal(built.begin(), built.end(), state.servers.begin(), state.servers.end(),
                    [](const model::IpAddress& a, const Server& s) { return a == s.address; });
}

// Null where the table has the right form.
const char* FormDefect(const PoolCase& c) {
  const BuiltTable& table = *c.state.built->table;
  const model::Pool& pool = *c.state.pool;
  if (table.size != pool.table_size || table.owner.size() != pool.table_size) {
    return "the table has another size than the pool";
  }
  if (table.forwarding != pool.forwarding) return "the table has another forwarding than the pool";
  if (!SameServers(c.state)) return "the table is for other servers than those that serve";
  const auto valid = [&](uint16_t o) {
    return table.servers.empty() ? o == maglev::kNoOwner : o < table.servers.size();
  };
  if (!std::all_of(table.owner.begin(), table.owner.end(), valid)) {
    return table.servers.empty() ? "slots are owned though nothing serves"
                                 : "slots have no owner though backends serve";
  }
  return nullptr;
}

}  // namespace

void CheckTableIntent(const PoolCase& c, Report& report) {
  report.limit = "within 2.0 % or 2 slots of the weights' share";
  const PoolState& state = c.state;
  // A table shared with the running state was checked when that was approved.
  const bool shared = c.base != nullptr && c.base->built->table == state.built->table &&
                      c.base->built->digest == state.built->digest;
  if (!shared) {
    if (const char* defect = FormDefect(c)) AddDefect(c, defect, report);
    if (state.built->table->ComputeDigest() != state.built->digest) {
      AddDefect(c, "the table's digest is not the digest of its bytes", report);
    }
  }
  double total = 0, worst = 0;
  for (const Server& server : state.servers) total += static_cast<double>(server.weight);
  for (const Server& server : state.servers) {
    const double intended = static_cast<double>(server.weight) / total * state.size();
    const double off = std::abs(server.slots - intended);
    worst = std::max(worst, off);
    if (off <= kSlotTolerance || off <= kRelativeTolerance * intended) continue;
    const size_t backend = server.backends.front();
    Finding& finding =
        report.Add(Severity::kBlock, BackendSubject(state, backend), BackendField(state, backend));
    finding.key = server.address.ToString();
    finding.violation.observed = absl::StrFormat("%d slots where weight %d asks for %.1f",
                                                 server.slots, server.weight, intended);
    finding.violation.limit = report.limit;
    finding.violation.fix =
        "bring the weights closer together or raise table_size; with sound "
        "weights this is a defect of the builder: report it";
  }
  report.observed = absl::StrFormat("off by at most %.1f slots", worst);
}

}  // namespace evenkeel::guard
