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

// True where the name is free, or its entry now adds nothing: not serving, or one more name of a
// server that has another.
bool CanPutBack(const PoolState& state, const model::Backend& backend) {
  const model::Backend* now = state.pool->FindBackend(backend.name);
  if (now == nullptr || !now->serving()) return true;
  const Server* server = state.Find(now->address);
  return server != nullptr && server->backends.size() > 1 &&
         &state.pool->backends[server->backends.front()] != now;
}

}  // namespace

bool DeclaresCapacity(const PoolState& state) {
  return std::all_of(state.servers.begin(), state.servers.end(), [&](const Server& server) {
    return state.pool->backends[server.backends.front()].capacity.has_value();
  });
}

bool IsOffline(const Case& c, Report& report) {
  if (c.facts.live) return false;
  report.observed = "not judged without a daemon";
  return true;
}

Finding& AddLacking(std::string_view what, const absl::Status& status, Report& report) {
  Finding& finding = report.Add(Severity::kBlock, "", "");
  finding.violation.observed =
      absl::StrCat("it is not known ", model::Av(what), ": ", status.message());
  finding.violation.limit = "what cannot be judged is refused";
  finding.violation.fix =
      "mend what the reason names and try again; `evenkeel status` shows the daemon's state";
  return finding;
}

std::string BackendSubject(const PoolState& state, size_t backend) {
  return absl::StrCat("pools/", state.pool->name, "/backends/", state.pool->backends[backend].name);
}

std::string BackendField(const PoolState& state, size_t backend) {
  return absl::StrFormat("pools[%d].backends[%d]", state.index, backend);
}

std::string KeepPhrase(const PoolState& after, const PoolState& before, size_t at_least,
                       std::vector<std::string> names) {
  const bool replaced = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const model::Backend* now = after.pool->FindBackend(name);
    const model::Backend* old = before.pool->FindBackend(name);
    return now != nullptr && old != nullptr && now->address != old->address;
  });
  std::sort(names.begin(), names.end());
  return absl::StrCat("keep ", at_least == 0 ? "" : absl::StrCat("at least ", at_least, " of "),
                      NameList(names), replaced ? " at their present addresses" : " enabled");
}

void KeepVipsInPlace(const Transition& t, Finding& finding) {
  const std::string& pool = t.before->pool->name;
  finding.violation.fix = absl::StrCat(
      "keep the VIP on pool ", pool, " as it runs now, and change its backends there step by step");
  finding.edits.push_back({Edit::Kind::kKeepPool, pool, "", 0});
  for (const model::Vip* vip : t.vips) {
    finding.edits.push_back({Edit::Kind::kKeepVip, pool, vip->name, 0});
  }
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
      if (CanPutBack(state, backend)) offer(Edit::Kind::kKeep, backend);
    }
  }
  const size_t missing = wanted > state.servers.size() ? wanted - state.servers.size() : 0;
  if (missing == 0 || spare.size() < missing) return {};
  text = KeepPhrase(state, base == nullptr ? state : *base, wanted, std::move(names));
  spare.resize(missing);
  return spare;
}

}  // namespace evenkeel::guard
