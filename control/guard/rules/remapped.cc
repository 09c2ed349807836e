// SPDX-License-Identifier: Apache-2.0
//
// LB006: slots that change hands. A remapped slot takes new and UDP flows with it, so an update
// moves about what the change in shares needs, and never much of a pool at once.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/changes.h"
#include "control/guard/rules/rules.h"
#include "control/guard/server_weights.h"
#include "control/guard/words.h"
#include "control/maglev/maglev.h"

namespace evenkeel::guard {
namespace {

constexpr double kExcessTolerance = 0.02;
constexpr double kRounding = 1e-9;

using Shares = std::map<model::IpAddress, double>;

Shares SharesOf(const PoolState& state) {
  Shares shares;
  for (const Server& server : state.servers) shares[server.address] = state.Share(server);
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

// Whether a pool could follow the running one, on the table that would be built for it.
class Trial {
 public:
  Trial(const Transition& t, double limit)
      : before_(*t.before->built->table), key_(t.key), limit_(limit) {}

  bool Passes(const model::Pool& pool) const {
    const auto weights = ServingWeights(pool);
    const auto built = maglev::Build(ToMembers(weights), pool.table_size, key_);
    if (!built.ok() || weights.empty()) return false;
    BuiltTable table;
    for (const auto& [address, weight] : weights) table.servers.push_back(address);
    table.owner = built->owner;
    return SlotsMoved(before_, table) <= limit_ * pool.table_size;
  }

 private:
  const BuiltTable& before_;
  const maglev::HashKey& key_;
  const double limit_;
};

// Looks for a pool between the running and the wanted one that moves few enough slots, and says how
// to get there: puts back what was taken away, the heaviest first, then goes only part of the way
// with what was added or changed its weight, or else stays.
class Proposal {
 public:
  Proposal(const Transition& t, double limit) : t_(t), trial_(t, limit), pool_(*t.after->pool) {}

  void Make(Finding& finding) {
    if (!KeepRemoved() && !Scale()) KeepAll();
    finding.edits = std::move(edits_);
    finding.violation.fix = text_ + "; do the rest in later updates";
  }

 private:
  bool Passes(const model::Pool& pool) const { return trial_.Passes(pool); }

  void Do(Edit::Kind kind, const std::string& name, int64_t value) {
    edits_.push_back({kind, pool_.name, name, value});
    ApplyEdit(edits_.back(), t_.before->pool, pool_);
  }

  void Say(const std::string& step) { absl::StrAppend(&text_, text_.empty() ? "" : ", ", step); }

  bool KeepRemoved() {
    std::vector<const Server*> removed;
    for (const Server& server : t_.before->servers) {
      if (t_.after->Find(server.address) == nullptr) removed.push_back(&server);
    }
    std::stable_sort(removed.begin(), removed.end(),
                     [](const Server* a, const Server* b) { return a->weight > b->weight; });
    std::vector<std::string> kept;
    for (const Server* server : removed) {
      if (Passes(pool_)) break;
      kept.push_back(t_.before->pool->backends[server->backends.front()].name);
      Do(Edit::Kind::kKeep, kept.back(), 0);
    }
    if (!kept.empty()) Say(KeepPhrase(*t_.after, *t_.before, 0, std::move(kept)));
    return Passes(pool_);
  }

  // The pool a part `step` of the way from the running weights to the wanted ones.
  model::Pool Part(double step) const {
    model::Pool part = pool_;
    for (model::Backend& backend : part.backends) {
      if (!backend.serving()) continue;
      const Server* old = t_.before->Find(backend.address);
      const double from = old == nullptr ? 0 : static_cast<double>(old->weight);
      const double to = from + (static_cast<double>(backend.weight) - from) * step;
      backend.weight = std::max<int64_t>(1, static_cast<int64_t>(to));
    }
    return part;
  }

  bool Scale() {
    double low = 0, high = 1;
    for (int i = 0; i < 12; ++i) {
      const double middle = (low + high) / 2;
      (Passes(Part(middle)) ? low : high) = middle;
    }
    const model::Pool part = Part(low);
    if (part == pool_ || !Passes(part)) return false;
    for (size_t i = 0; i < part.backends.size(); ++i) {
      const auto [name, from, to] =
          std::tuple(part.backends[i].name, pool_.backends[i].weight, part.backends[i].weight);
      if (from == to) continue;
      Say(absl::StrFormat("%s the weight of %s from %d to %d", to < from ? "lower" : "raise", name,
                          from, to));
      Do(Edit::Kind::kSetWeight, name, to);
    }
    return true;
  }

  void KeepAll() {
    edits_.clear();
    text_ = "keep the pool as it runs now, and change fewer backends at once";
    Do(Edit::Kind::kKeepPool, "", 0);
  }

  const Transition& t_;
  const Trial trial_;
  model::Pool pool_;
  std::vector<Edit> edits_;
  std::string text_;
};

void ProposeFix(const Transition& t, double limit, Finding& finding) {
  const model::Pool& before = *t.before->pool;
  const model::Pool& after = *t.after->pool;
  if (t.respread != nullptr) {
    finding.violation.fix = absl::StrCat(
        "keep what vips/", t.respread->name,
        " is spread by (affinity, affinity_prefix4, affinity_prefix6, spread_by); every flow of it "
        "would go to another server, so give the new way to a new pool and a new VIP");
    const auto by = [](const model::Pool& pool) {
      return std::tuple(pool.affinity, pool.affinity_prefix4, pool.affinity_prefix6);
    };
    if (before.name == after.name && by(before) != by(after)) {
      finding.edits = {{Edit::Kind::kKeepPool, after.name, "", 0}};
    }
    return;
  }
  if (before.name != after.name) {
    KeepVipsInPlace(t, finding);
    return;
  }
  if (before.table_size != after.table_size) {
    finding.violation.fix =
        absl::StrCat("keep table_size: ", before.table_size,
                     "; another size remaps every slot, so give it to a new pool and a new VIP");
    finding.edits = {{Edit::Kind::kKeepPool, after.name, "", 0}};
    return;
  }
  Proposal(t, limit).Make(finding);
}

// A pool that is declared to have one backend replaces or loses it whole.
bool IsDeclaredSingle(const Transition& t) {
  return t.after->pool->policy.single_backend.has_value() && t.before->servers.size() <= 2;
}

}  // namespace

void CheckRemapped(const TransitionCase& c, Report& report) {
  const Transition& t = c.transition;
  const double limit = LimitOf(kRemapped, t.after->policy);
  // Where the way to the slots is another one, no flow can be told to stay.
  const double moved =
      t.respread != nullptr
          ? 1.0
          : SlotsMoved(*t.before->built->table, *t.after->built->table) / t.after->size();
  const bool shared = t.before->built->table == t.after->built->table;
  const double needed = shared ? 0 : ShareChange(SharesOf(*t.before), SharesOf(*t.after));
  report.observed = t.respread != nullptr ? absl::StrCat("all flows of vips/", t.respread->name,
                                                         " lead to other slots")
                                          : absl::StrFormat("%s of slots move, %s change in shares",
                                                            Percent(moved), Percent(needed));
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
  ProposeFix(t, limit, finding);
}

}  // namespace evenkeel::guard
