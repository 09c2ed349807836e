// SPDX-License-Identifier: Apache-2.0
//
// LB005, for backends by serving weight and for VIPs by number: what an update takes away at once.
#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/server_weights.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr double kRounding = 1e-9;

using VipKey = std::tuple<model::IpAddress, uint16_t, uint8_t>;

VipKey KeyOf(const model::Vip& vip) { return {vip.address, vip.port, IpProtocol(vip.protocol)}; }

std::vector<const Server*> RemovedServers(const Transition& t) {
  std::vector<const Server*> removed;
  for (const Server& server : t.before->servers) {
    if (t.after->Find(server.address) == nullptr) removed.push_back(&server);
  }
  return removed;
}

double WeightOf(const std::vector<const Server*>& servers) {
  double sum = 0;
  for (const Server* server : servers) sum += static_cast<double>(server->weight);
  return sum;
}

// The fewest of `removed` to put back so that the rest may go: the heaviest.
size_t FewestToKeep(std::vector<const Server*>& removed, double allowed) {
  std::stable_sort(removed.begin(), removed.end(),
                   [](const Server* a, const Server* b) { return a->weight > b->weight; });
  size_t keep = 0;
  while (removed.size() - keep > 1 &&
         WeightOf({removed.begin() + static_cast<ptrdiff_t>(keep), removed.end()}) > allowed) {
    ++keep;
  }
  return keep;
}

bool Suffices(const Transition& t, const std::vector<Edit>& edits, double allowed) {
  model::Pool pool = *t.after->pool;
  for (const Edit& edit : edits) ApplyEdit(edit, t.before->pool, pool);
  const auto serving = ServingWeights(pool);
  std::vector<const Server*> removed;
  for (const Server& server : t.before->servers) {
    if (!serving.contains(server.address)) removed.push_back(&server);
  }
  return removed.size() <= 1 || WeightOf(removed) <= allowed;
}

void ProposeKeeping(const Transition& t, std::vector<const Server*> removed, double allowed,
                    Finding& finding) {
  if (t.before->pool->name != t.after->pool->name) {
    KeepVipsInPlace(t, finding);
    return;
  }
  const size_t keep = FewestToKeep(removed, allowed);
  std::vector<std::string> names;
  for (const Server* server : removed) {
    const model::Backend& backend = t.before->pool->backends[server->backends.front()];
    names.push_back(backend.name);
    if (names.size() <= keep) {
      finding.edits.push_back({Edit::Kind::kKeep, t.after->pool->name, backend.name, 0});
    }
  }
  if (!Suffices(t, finding.edits, allowed)) {
    // A name that would be put back now belongs to another of the servers that ran before.
    finding.edits = {{Edit::Kind::kKeepPool, t.after->pool->name, "", 0}};
    finding.violation.fix = "keep the pool as it runs now, and change fewer backends at once";
    return;
  }
  // With unequal weights it matters which ones stay.
  const bool equal = removed.front()->weight == removed.back()->weight;
  if (!equal) names.resize(keep);
  finding.violation.fix = KeepPhrase(*t.after, *t.before, equal ? keep : 0, std::move(names)) +
                          " in this update, and go on when it has settled";
}

}  // namespace

void CheckRemovedAtOnce(const TransitionCase& c, Report& report) {
  const Transition& t = c.transition;
  const double fraction = LimitOf(kRemoved, t.after->policy);
  double total = 0;
  for (const Server& server : t.before->servers) total += static_cast<double>(server.weight);
  const std::vector<const Server*> removed = RemovedServers(t);
  const double gone = total == 0 ? 0 : WeightOf(removed) / total;
  report.observed = absl::StrFormat("%d of %d servers, %s of serving weight", removed.size(),
                                    t.before->servers.size(), Percent(gone));
  report.limit = absl::StrCat("one server, or ", Percent(fraction), " of serving weight");
  if (removed.size() <= 1 || gone <= fraction + kRounding) return;
  const bool moved = t.before->pool->name != t.after->pool->name;
  Finding& finding =
      report.Add(Severity::kBlock, moved ? absl::StrCat("vips/", t.vips.front()->name) : "",
                 absl::StrCat("pools[", t.after->index, "].backends"));
  finding.violation.observed = absl::StrCat("removed or drained at once: ", report.observed);
  finding.violation.limit = report.limit;
  ProposeKeeping(t, removed, fraction * total * (1 + kRounding), finding);
}

void CheckRemovedVips(const Case& c, Report& report) {
  std::set<VipKey> kept;
  for (const model::Vip& vip : c.fleet.fleet->vips) kept.insert(KeyOf(vip));
  std::vector<const model::Vip*> removed;
  const auto& before = c.running->fleet->vips;
  for (const model::Vip& vip : before) {
    if (!kept.contains(KeyOf(vip))) removed.push_back(&vip);
  }
  report.observed =
      absl::StrFormat("%d of %s removed", removed.size(), Count(before.size(), "VIP"));
  report.limit = absl::StrCat("one VIP, or ", Percent(kRemoved.loosest), " of them; never all");
  const bool all = !before.empty() && removed.size() == before.size();
  const double allowed = std::max(1.0, kRemoved.loosest * static_cast<double>(before.size()));
  if (!all && static_cast<double>(removed.size()) <= allowed) return;

  size_t keep = removed.size() - static_cast<size_t>(allowed);
  if (all) keep = std::max<size_t>(keep, 1);
  std::vector<std::string> names;
  Finding& finding = report.Add(Severity::kBlock, "vips", "vips");
  for (const model::Vip* vip : removed) {
    names.push_back(vip->name);
    if (names.size() > keep) continue;
    finding.edits.push_back({Edit::Kind::kKeepPool, vip->pool, "", 0});
    finding.edits.push_back({Edit::Kind::kKeepVip, vip->pool, vip->name, 0});
  }
  std::sort(names.begin(), names.end());
  finding.violation.observed = report.observed;
  finding.violation.limit = report.limit;
  finding.violation.fix = absl::StrCat(
      "keep at least ", keep, " of ", NameList(names),
      " with its pool; absent does not mean delete. To move a VIP, add the new one first");
}

}  // namespace evenkeel::guard
