// SPDX-License-Identifier: Apache-2.0
//
// LB010: whether packets can get to the servers that a change gives traffic to. A server that got
// traffic before is the health checks' business: a change is not refused for what already is.
#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/changes.h"
#include "control/guard/entry.h"
#include "control/guard/rules/rules.h"
#include "control/guard/server_weights.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

using ReachMap = std::map<model::IpAddress, Reach>;

constexpr char kRule[] = "LB010";

// A server that packets do not get to, as far as is known.
struct Missed {
  const Server* server;
  std::string problem;
};

std::optional<std::string> ProblemOf(const ReachMap& reach, const model::IpAddress& address) {
  const auto it = reach.find(address);
  if (it == reach.end()) return "nothing is known about its route";
  if (it->second.reachable) return std::nullopt;
  return it->second.problem.empty() ? "it cannot be reached" : it->second.problem;
}

// Whether a VIP leads here that did not lead to this pool before.
bool GainsVip(const PoolCase& c) {
  using Key = std::tuple<model::IpAddress, uint16_t, uint8_t>;
  const auto key_of = [](const model::Vip& vip) {
    return Key(vip.address, vip.port, IpProtocol(vip.protocol));
  };
  std::set<Key> before;
  for (size_t i : c.base->vips) before.insert(key_of(c.running->fleet->vips[i]));
  return std::any_of(c.state.vips.begin(), c.state.vips.end(),
                     [&](size_t i) { return !before.contains(key_of(c.fleet.fleet->vips[i])); });
}

// The servers that would get traffic and get none now.
std::vector<const Server*> NewServers(const PoolCase& c) {
  const bool all = c.rollback || c.base == nullptr || GainsVip(c);
  std::vector<const Server*> fresh;
  for (const Server& server : c.state.servers) {
    if (all || c.base->Find(server.address) == nullptr) fresh.push_back(&server);
  }
  return fresh;
}

// Nothing would be worse than now, or nobody's traffic depends on it.
const char* WhyOnlyWarn(const PoolCase& c, bool all_missed) {
  if (c.running == nullptr) return "the first state: nothing runs that could be worse";
  if (c.state.vips.empty()) return "no VIP uses this pool";
  if (!all_missed) return "blocks if none of them can be reached";
  // An undo must not fail on a pool that it does not touch.
  if (c.rollback && c.base != nullptr && HasSameTraffic(*c.base, c.state)) {
    return "runs now, and this change does not touch it";
  }
  return nullptr;
}

std::vector<Missed> FindMissed(const ReachMap& reach, const std::vector<const Server*>& servers) {
  std::vector<Missed> missed;
  for (const Server* server : servers) {
    if (auto problem = ProblemOf(reach, server->address)) {
      missed.push_back({server, *std::move(problem)});
    }
  }
  return missed;
}

bool AnyMissed(const absl::StatusOr<ReachMap>& reach) {
  return reach.ok() && std::any_of(reach->begin(), reach->end(),
                                   [](const auto& entry) { return !entry.second.reachable; });
}

// They are listed already, without a weight: who asks for one now changes nothing for the worse.
bool AllWait(const PoolCase& c, const std::vector<Missed>& missed) {
  if (c.base == nullptr) return false;
  return std::all_of(missed.begin(), missed.end(), [&](const Missed& m) {
    const auto& listed = c.base->pool->backends;
    return std::any_of(listed.begin(), listed.end(), [&](const model::Backend& backend) {
      return backend.address == m.server->address && backend.weight == 0;
    });
  });
}

bool HasException(const PoolState& state) {
  const auto& exceptions = state.pool->policy.exceptions;
  return std::any_of(exceptions.begin(), exceptions.end(),
                     [](const auto& exception) { return exception.rule == kRule; });
}

void ProposeWaiting(const PoolCase& c, const std::vector<Missed>& missed, Finding& finding) {
  std::vector<std::string> names;
  for (const Missed& m : missed) {
    for (size_t i : m.server->backends) {
      names.push_back(c.state.pool->backends[i].name);
      finding.edits.push_back({Edit::Kind::kSetWeight, c.state.pool->name, names.back(), 0});
    }
  }
  finding.violation.fix = absl::StrCat(
      "give ", NameList(names), " weight: 0 until ",
      names.size() == 1 ? "it answers" : "they answer",
      "; flows that the table sends to a server without a next hop are dropped (drop_no_nexthop)");
}

void AddMissed(const PoolCase& c, size_t asked, const std::vector<Missed>& missed, Report& report) {
  const bool all = missed.size() == asked;
  const char* why = WhyOnlyWarn(c, all);
  const size_t first = missed.front().server->backends.front();
  const bool one = missed.size() == 1;
  Finding& finding = report.Add(why == nullptr ? Severity::kBlock : Severity::kWarn,
                                one ? BackendSubject(c.state, first) : "",
                                one ? BackendField(c.state, first) + ".address"
                                    : absl::StrCat("pools[", c.state.index, "].backends"));
  std::vector<std::string> names;
  for (const Missed& m : missed) names.push_back(c.state.NameOf(*m.server));
  finding.violation.observed = absl::StrFormat(
      "%s (%s) cannot be reached: %s", NameList(names),
      all ? c.rollback ? "all that serve" : "all that enter"
          : absl::StrCat(missed.size(), " of ", asked, c.rollback ? " that serve" : " that enter"),
      missed.front().problem);
  finding.violation.limit = why == nullptr ? report.limit : absl::StrCat(report.limit, "; ", why);
  ProposeWaiting(c, missed, finding);
}

// A pool with VIPs and no server that answers is an outage, whichever way it is reached.
void CheckNothingServes(const PoolCase& c, Report& report) {
  if (!c.rollback || c.state.vips.empty() || !c.state.servers.empty()) return;
  const char* why = WhyOnlyWarn(c, true);
  Finding& finding = report.Add(why == nullptr ? Severity::kBlock : Severity::kWarn, "",
                                absl::StrCat("pools[", c.state.index, "].backends"));
  finding.violation.observed = "no backend of the earlier state serves";
  finding.violation.limit = why == nullptr ? report.limit : absl::StrCat(report.limit, "; ", why);
  finding.violation.fix = "return to another revision";
}

}  // namespace

void CheckReachability(const PoolCase& c, Report& report) {
  report.limit = c.rollback ? "a pool with VIPs has a server that can be reached"
                            : "some server that gets new traffic can be reached";
  CheckNothingServes(c, report);
  const std::vector<const Server*> servers = NewServers(c);
  report.observed =
      absl::StrCat(Count(servers.size(), "server"), c.rollback ? " serving" : " entering");
  if (IsOffline(c, report) || servers.empty()) return;
  const auto& reach = c.facts.live->reach;
  if (!reach.ok()) {
    Finding& finding = AddLacking("which servers can be reached", reach.status(), report);
    // That nothing is known is no reason to leave a bad state running.
    if (c.rollback || c.running == nullptr) finding.violation.severity = Severity::kWarn;
    return;
  }
  const std::vector<Missed> missed = FindMissed(*reach, servers);
  if (!missed.empty()) AddMissed(c, servers.size(), missed, report);
}

std::vector<Waiting> FindWaiting(const BuiltFleet& candidate, const BuiltFleet& running,
                                 const Facts& facts) {
  std::vector<Waiting> waiting;
  if (!facts.live.has_value() || !AnyMissed(facts.live->reach)) return waiting;
  const FleetState before = MakeRunningState(running, facts.host_policy);
  const FleetState after = MakeCandidateState(candidate, facts.host_policy, &before);
  const Consent consent;
  for (const PoolState& state : after.pools) {
    const PoolCase c{{after, &before, facts, consent}, state, before.Find(state.pool->name)};
    if (state.vips.empty() || HasException(state)) continue;
    const std::vector<const Server*> servers = NewServers(c);
    const std::vector<Missed> missed = FindMissed(*facts.live->reach, servers);
    if (missed.size() == servers.size() && !AllWait(c, missed)) continue;
    for (const Missed& m : missed) {
      for (const size_t i : m.server->backends) waiting.push_back({state.index, i, m.problem});
    }
  }
  return waiting;
}

void SetWaiting(const std::vector<Waiting>& waiting, model::Config* config) {
  for (const Waiting& w : waiting) config->pools[w.pool].backends[w.backend].weight = 0;
}

void NoteWaiting(const std::vector<Waiting>& waiting, const model::Config& asked,
                 Verdict* verdict) {
  for (const Waiting& w : waiting) {
    const model::Pool& pool = asked.pools[w.pool];
    const model::Backend& backend = pool.backends[w.backend];
    Violation violation;
    violation.rule = kRule;
    violation.name = "reachability";
    violation.severity = Severity::kWarn;
    violation.pool = pool.name;
    violation.subject = absl::StrCat("pools/", pool.name, "/backends/", backend.name);
    violation.field = absl::StrCat("pools[", w.pool, "].backends[", w.backend, "].weight");
    violation.observed = absl::StrCat("it cannot be reached: ", w.problem);
    violation.limit = "what cannot be reached enters with weight 0";
    violation.fix = absl::StrCat("once it answers: evenkeel weight ", backend.name, " ",
                                 backend.weight, " --pool ", pool.name);
    violation.message = absl::StrCat(backend.name, " enters with weight 0 and not ", backend.weight,
                                     ": ", violation.observed);
    verdict->violations.push_back(std::move(violation));
    for (RuleResult& result : verdict->results) {
      if (result.rule != kRule || result.pool != pool.name) continue;
      result.severity = std::max(result.severity, Severity::kWarn);
      result.observed = absl::StrCat(backend.name, " cannot be reached and enters with weight 0");
    }
  }
  if (!waiting.empty()) verdict->severity = std::max(verdict->severity, Severity::kWarn);
}

}  // namespace evenkeel::guard
