// SPDX-License-Identifier: Apache-2.0
//
// LB006: slots that change hands. A remapped slot may break the flows that hash to it, so an update
// moves about what the change in shares needs, and never much of a pool at once.
#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/changes.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"
#include "control/maglev/maglev.h"

namespace evenkeel::guard {
namespace {

constexpr double kExcessTolerance = 0.02;
constexpr double kRounding = 1e-9;

// A proposal: weight per server of either state.
using Weights = std::map<model::IpAddress, uint64_t>;
using Shares = std::map<model::IpAddress, double>;

Shares SharesOf(const PoolState& state) {
  Shares shares;
  for (const Server& server : state.servers) shares[server.address] = state.Share(server);
  return shares;
}

// As they would be built.
Shares SharesOf(const Weights& weights, uint32_t size) {
  std::vector<uint64_t> list;
  for (const auto& [address, weight] : weights) list.push_back(weight);
  const std::vector<uint32_t> quota = maglev::Quotas(list, size);
  Shares shares;
  size_t i = 0;
  for (const auto& [address, weight] : weights)
    shares[address] = static_cast<double>(quota[i++]) / size;
  return shares;
}

// The part of the slots that must change hands to get from one set of shares to the other.
double ShareChange(const Shares& before, const Shares& after) {
  double lost = 0, gained = 0;
  for (const auto& [address, share] : before) {
    const auto it = after.find(address);
    lost += std::max(0.0, share - (it == after.end() ? 0 : it->second));
  }
  for (const auto& [address, share] : after) {
    const auto it = before.find(address);
    gained += std::max(0.0, share - (it == before.end() ? 0 : it->second));
  }
  return std::max(lost, gained);  // equal, unless nothing serves
}

class Proposal {
 public:
  Proposal(const Transition& t, double limit) : t_(t), limit_(limit) {
    for (const Server& server : t.after->servers) weights_[server.address] = server.weight;
  }

  // Puts back what was taken away, the heaviest first, then goes only part of the way with what
  // was added or weighs more or less than before.
  void Make(Finding& finding) {
    KeepRemoved(finding);
    if (!Passes(weights_)) Scale(finding);
    finding.violation.fix =
        absl::StrCat(text_, text_.empty() ? "" : "; do the rest in later updates");
  }

 private:
  bool Passes(const Weights& weights) const {
    return ShareChange(SharesOf(*t_.before), SharesOf(weights, t_.after->built->table->size)) <=
           limit_;
  }

  void Say(const std::string& step) { absl::StrAppend(&text_, text_.empty() ? "" : ", ", step); }

  void KeepRemoved(Finding& finding) {
    std::vector<const Server*> removed;
    for (const Server& server : t_.before->servers) {
      if (t_.after->Find(server.address) == nullptr) removed.push_back(&server);
    }
    std::stable_sort(removed.begin(), removed.end(),
                     [](const Server* a, const Server* b) { return a->weight > b->weight; });
    std::vector<std::string> kept;
    for (const Server* server : removed) {
      if (Passes(weights_)) break;
      const auto& backend = t_.before->pool->backends[server->backends.front()];
      weights_[server->address] = server->weight;
      kept.push_back(backend.name);
      finding.edits.push_back({Edit::Kind::kKeep, t_.after->pool->name, backend.name, 0});
    }
    if (!kept.empty()) Say(KeepPhrase(*t_.after, *t_.before, 0, std::move(kept)));
  }

  // The weights a part `step` of the way from the running ones to the wanted ones.
  Weights Part(double step) const {
    Weights part;
    for (const auto& [address, wanted] : weights_) {
      const Server* old = t_.before->Find(address);
      const double from = old == nullptr ? 0 : static_cast<double>(old->weight);
      const double to = from + (static_cast<double>(wanted) - from) * step;
      part[address] = std::max<uint64_t>(1, static_cast<uint64_t>(to));
    }
    return part;
  }

  void Scale(Finding& finding) {
    double low = 0, high = 1;
    for (int i = 0; i < 20; ++i) {
      const double middle = (low + high) / 2;
      (Passes(Part(middle)) ? low : high) = middle;
    }
    const Weights part = Part(low);
    if (!Passes(part)) return;  // not even the smallest step: nothing to propose
    for (const Server& server : t_.after->servers) {
      const uint64_t weight = part.at(server.address);
      if (weight == server.weight || server.backends.size() > 1) continue;
      const std::string name = t_.after->NameOf(server);
      finding.edits.push_back(
          {Edit::Kind::kSetWeight, t_.after->pool->name, name, static_cast<int64_t>(weight)});
      Say(absl::StrFormat("%s the weight of %s from %d to %d",
                          weight < server.weight ? "lower" : "raise", name, server.weight, weight));
    }
  }

  const Transition& t_;
  const double limit_;
  Weights weights_;
  std::string text_;
};

void ProposeFix(const Transition& t, double limit, double excess, Finding& finding) {
  const model::Pool& before = *t.before->pool;
  const model::Pool& after = *t.after->pool;
  if (before.name != after.name) {
    finding.violation.fix = absl::StrCat("keep the VIP on pool ", before.name,
                                         " and change its backends there step by step");
    for (const model::Vip* vip : t.vips) {
      finding.edits.push_back({Edit::Kind::kKeepVip, after.name, vip->name, 0});
    }
    return;
  }
  if (before.table_size != after.table_size) {
    finding.violation.fix =
        absl::StrCat("keep table_size: ", before.table_size,
                     "; another size remaps every slot, so give it to a new pool and a new VIP");
    finding.edits = {{Edit::Kind::kKeepPool, after.name, "", 0}};
    return;
  }
  // The table moves a little more than the shares need; leave room for as much again.
  Proposal(t, limit - std::max(excess * 1.5, 0.002)).Make(finding);
  if (finding.violation.fix.empty()) {
    finding.violation.fix = "change fewer backends at once";
  }
}

// A pool that is declared to have one backend replaces or loses it whole.
bool IsDeclaredSingle(const Transition& t) {
  return t.after->pool->policy.single_backend.has_value() && t.before->servers.size() <= 2;
}

}  // namespace

void CheckRemappedPolicy(const PoolCase& c, Report& report) {
  CheckTightens(c.state, kRemapped, c.policy.max_remapped_fraction, report);
}

void CheckRemapped(const Transition& t, Report& report) {
  const double limit = LimitOf(kRemapped, t.after->pool->policy.max_remapped_fraction);
  const double moved =
      SlotsMoved(*t.before->built->table, *t.after->built->table) / t.after->size();
  const double needed = ShareChange(SharesOf(*t.before), SharesOf(*t.after));
  report.observed =
      absl::StrFormat("%s of slots move, %s change in shares", Percent(moved), Percent(needed));
  report.limit = absl::StrFormat("the change in shares + 2 points, at most %s", Percent(limit));
  const bool too_many = moved > limit + kRounding;
  if (!too_many && moved <= needed + kExcessTolerance) return;
  const bool renamed = t.before->pool->name != t.after->pool->name;
  const Severity severity = too_many && !IsDeclaredSingle(t) ? Severity::kBlock : Severity::kWarn;
  Finding& finding =
      report.Add(severity, renamed ? absl::StrCat("vips/", t.vips.front()->name) : "",
                 absl::StrCat("pools[", t.after->index, "]"));
  finding.violation.observed = report.observed;
  finding.violation.limit = too_many ? absl::StrCat("at most ", Percent(limit))
                                     : "warns above the change in shares + 2 points";
  ProposeFix(t, limit, std::max(0.0, moved - needed), finding);
}

}  // namespace evenkeel::guard
