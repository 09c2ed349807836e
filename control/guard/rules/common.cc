// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

// Serves as soon as it is enabled: its address belongs to no serving backend.
bool IsSpare(const PoolState& state, const model::Backend& backend) {
  return !backend.serving() && state.Find(backend.address) == nullptr;
}

}  // namespace

double Tightened(const PoolState& state, std::string_view field, const std::optional<double>& value,
                 double lowest, double loosest, Report& report) {
  if (!value) return loosest;
  // NaN compares false with everything and so is refused too.
  if (*value >= lowest && *value <= loosest) return *value;
  const std::string path = absl::StrCat("pools[", state.index, "].policy.", model::Av(field));
  Finding& finding = report.Add(Severity::kBlock, "", path);
  finding.key = absl::StrCat("policy.", model::Av(field));
  finding.violation.observed = absl::StrFormat("policy.%s is %g", field, *value);
  finding.violation.limit =
      absl::StrFormat("a pool may only tighten it: %g to %g", lowest, loosest);
  finding.violation.fix =
      absl::StrFormat("set %s to at most %g, or remove it for the default", field, loosest);
  finding.edits = {{Edit::Kind::kClearPolicy, state.pool->name, std::string(field), 0}};
  return loosest;
}

std::string BackendSubject(const PoolState& state, size_t backend) {
  return absl::StrCat("pools/", state.pool->name, "/backends/", state.pool->backends[backend].name);
}

std::string BackendField(const PoolState& state, size_t backend) {
  return absl::StrFormat("pools[%d].backends[%d]", state.index, backend);
}

std::vector<Edit> KeepServing(const PoolState& state, const PoolState* base, size_t wanted,
                              std::string& text) {
  std::set<model::IpAddress> used;
  std::vector<Edit> spare;
  std::vector<std::string> names;
  const auto offer = [&](Edit::Kind kind, const model::Backend& backend) {
    if (!used.insert(backend.address).second) return;
    spare.push_back({kind, state.pool->name, backend.name, 0});
    names.push_back(backend.name);
  };
  for (const Server& server : state.servers) {
    used.insert(server.address);
    names.push_back(state.pool->backends[server.backends.front()].name);
  }
  for (const model::Backend& backend : state.pool->backends) {
    if (IsSpare(state, backend)) offer(Edit::Kind::kEnable, backend);
  }
  if (base != nullptr) {
    for (const Server& server : base->servers) {
      const model::Backend& backend = base->pool->backends[server.backends.front()];
      // Under its old name it could not be put back beside a newer backend of that name.
      if (state.pool->FindBackend(backend.name) == nullptr) offer(Edit::Kind::kKeep, backend);
    }
  }
  const size_t missing = wanted > state.servers.size() ? wanted - state.servers.size() : 0;
  if (missing == 0 || spare.size() < missing) return {};
  std::sort(names.begin(), names.end());
  text = absl::StrCat("keep at least ", wanted, " of ", NameList(names), " enabled");
  spare.resize(missing);
  return spare;
}

}  // namespace evenkeel::guard
