// SPDX-License-Identifier: Apache-2.0
//
// A server's share of the built table. Its capacity-weighted share is its part of the pool's
// capacity where every serving backend declares one, else its part of the weights, which are then
// the only statement of what it can take. One slot of tolerance: quotas are whole slots.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"
#include "control/maglev/maglev.h"

namespace evenkeel::guard {
namespace {

constexpr double kWarnFactor = 1.25;
constexpr double kSlotTolerance = 1;

struct Limits {
  double share;
  double factor;
};

// What each server should have of the table, 0..1.
std::vector<double> IntendedShares(const PoolState& state, const std::vector<uint64_t>& weights) {
  const bool by_capacity = DeclaresCapacity(state);
  std::vector<double> shares;
  double total = 0;
  for (size_t i = 0; i < state.servers.size(); ++i) {
    const Server& server = state.servers[i];
    shares.push_back(by_capacity ? *state.pool->backends[server.backends.front()].capacity
                                 : static_cast<double>(weights[i]));
    total += shares.back();
  }
  for (double& share : shares) share /= total;
  return shares;
}

std::vector<uint64_t> WeightsOf(const PoolState& state) {
  std::vector<uint64_t> weights;
  for (const Server& server : state.servers) weights.push_back(server.weight);
  return weights;
}

Limits LimitsFor(const model::Policy& policy, size_t serving) {
  return {MaxShare(policy, serving), LimitOf(kShareFactor, policy)};
}

// The largest share that server `i` may have.
double Allowed(const Limits& limits, double intended, double size) {
  return std::min(limits.share, limits.factor * intended) + kSlotTolerance / size;
}

std::string DescribeLimit(const Limits& limits, size_t serving) {
  const char* with = serving >= 3   ? "with 3 or more serving"
                     : serving == 2 ? "with 2 serving"
                                    : "for any one server";
  return absl::StrFormat("at most %s %s, and %.3gx its capacity-weighted share",
                         Percent(limits.share), with, limits.factor);
}

// By how much of the table server `i` is over its limit with these weights; the quotas are those
// that a table would be built with.
double Excess(const PoolState& state, const Limits& limits, const std::vector<uint64_t>& weights,
              size_t i) {
  const double slots = maglev::Quotas(weights, state.built->table->size)[i];
  return slots / state.size() - Allowed(limits, IntendedShares(state, weights)[i], state.size());
}

// The largest weight of server `i`, the others' unchanged, that keeps it within its limit.
std::optional<uint64_t> LargestPassing(const PoolState& state, const Limits& limits,
                                       std::vector<uint64_t> weights, size_t i) {
  uint64_t low = 0, high = weights[i];
  while (low + 1 < high) {
    weights[i] = low + (high - low) / 2;
    (Excess(state, limits, weights, i) <= 0 ? low : high) = weights[i];
  }
  return low == 0 ? std::nullopt : std::optional(low);
}

// The server that is furthest over its limit, or nullopt.
std::optional<size_t> WorstOf(const PoolState& state, const Limits& limits,
                              const std::vector<uint64_t>& weights) {
  const std::vector<uint32_t> slots = maglev::Quotas(weights, state.built->table->size);
  const std::vector<double> intended = IntendedShares(state, weights);
  std::optional<size_t> worst;
  double most = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    const double over = slots[i] / state.size() - Allowed(limits, intended[i], state.size());
    if (over > most) most = over, worst = i;
  }
  return worst;
}

// Lowers the worst offender again and again: lowering one raises the others.
std::vector<Edit> LowerWeights(const PoolState& state, const Limits& limits, std::string& text) {
  for (const Server& server : state.servers) {
    if (server.backends.size() > 1) return {};  // LB008's business first
  }
  const std::vector<uint64_t> before = WeightsOf(state);
  std::vector<uint64_t> weights = before;
  for (size_t round = 0; round < weights.size(); ++round) {
    const std::optional<size_t> worst = WorstOf(state, limits, weights);
    if (!worst) break;
    const std::optional<uint64_t> lowered = LargestPassing(state, limits, weights, *worst);
    if (!lowered) return {};
    weights[*worst] = *lowered;
  }
  if (WorstOf(state, limits, weights)) return {};
  std::vector<Edit> edits;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == before[i]) continue;
    const std::string name = state.NameOf(state.servers[i]);
    edits.push_back(
        {Edit::Kind::kSetWeight, state.pool->name, name, static_cast<int64_t>(weights[i])});
    absl::StrAppend(&text, text.empty() ? "" : ", ", "lower the weight of ", name, " from ",
                    before[i], " to at most ", weights[i]);
  }
  return edits;
}

// Lets more servers serve, as few as do, their weights lowered where that is needed too.
void ProposeServing(const PoolCase& c, Finding& finding) {
  std::string& text = finding.violation.fix;
  for (size_t wanted = 2;; ++wanted) {
    const std::vector<Edit> edits = KeepServing(c.state, c.base, wanted, text);
    if (edits.empty()) break;
    BuiltPool edited = *c.state.built;  // only the servers and weights are looked at, not the slots
    for (const Edit& edit : edits) {
      ApplyEdit(edit, c.base == nullptr ? nullptr : c.base->pool, edited.config);
    }
    const PoolState then = MakePoolState(edited, c.state.index, {});
    const Limits limits = LimitsFor(c.policy(), then.servers.size());
    finding.edits = edits;
    if (!WorstOf(then, limits, WeightsOf(then))) return;
    std::string lowered;
    const std::vector<Edit> weights = LowerWeights(then, limits, lowered);
    if (weights.empty()) continue;
    finding.edits.insert(finding.edits.end(), weights.begin(), weights.end());
    absl::StrAppend(&text, ", and ", lowered);
    return;
  }
  finding.edits.clear();
  text = "add backends on servers of their own until none is above the limit";
}

// No weights keep so few servers below the pool's own max_share.
void ProposePolicy(const PoolCase& c, Finding& finding) {
  std::string& text = finding.violation.fix;
  text = absl::StrCat("no weights keep ", c.state.servers.size(),
                      " servers below this policy.max_share: raise it, or serve from more");
  finding.edits = {{Edit::Kind::kClearPolicy, c.state.pool->name, "max_share", 0}};
  model::Policy policy = c.policy();
  policy.max_share.reset();
  const Limits limits = LimitsFor(policy, c.state.servers.size());
  if (!WorstOf(c.state, limits, WeightsOf(c.state))) return;
  std::string lowered;
  const std::vector<Edit> weights = LowerWeights(c.state, limits, lowered);
  if (weights.empty()) {  // a server under several names
    finding.edits.clear();
    text = "list each server once and spread the weights more evenly";
    return;
  }
  finding.edits.insert(finding.edits.end(), weights.begin(), weights.end());
  absl::StrAppend(&text, ", and ", lowered);
}

void ProposeFix(const PoolCase& c, const Limits& limits, Finding& finding) {
  std::string& text = finding.violation.fix;
  if (c.state.servers.size() == 1) return ProposeServing(c, finding);
  finding.edits = LowerWeights(c.state, limits, text);
  if (!finding.edits.empty()) return;
  text.clear();
  if (1.0 / static_cast<double>(c.state.servers.size()) > limits.share) {
    return ProposePolicy(c, finding);
  }
  text = "spread the weights more evenly, each server under one name";
}

}  // namespace

void CheckBackendShare(const PoolCase& c, Report& report) {
  const PoolState& state = c.state;
  const Limits limits = LimitsFor(c.policy(), state.servers.size());
  report.limit = DescribeLimit(limits, state.servers.size());
  report.observed = "nothing serves";
  if (state.servers.empty()) return;  // LB003's business
  const auto top =
      std::max_element(state.servers.begin(), state.servers.end(),
                       [](const Server& a, const Server& b) { return a.slots < b.slots; });
  report.observed =
      absl::StrCat("most: ", state.NameOf(*top), " ", Percent(state.Share(*top)), " of slots");
  if (c.policy().single_backend) {
    report.limit = "none: single_backend is declared";
    return;
  }
  const std::vector<double> intended = IntendedShares(state, WeightsOf(state));
  for (size_t i = 0; i < state.servers.size(); ++i) {
    const Server& server = state.servers[i];
    const double share = state.Share(server);
    const bool blocks = share > Allowed(limits, intended[i], state.size());
    const double warn = std::min(kWarnFactor, limits.factor) * intended[i];
    if (!blocks && share <= warn + kSlotTolerance / state.size()) continue;
    const size_t backend = server.backends.front();
    Finding& finding = report.Add(blocks ? Severity::kBlock : Severity::kWarn,
                                  BackendSubject(state, backend), BackendField(state, backend));
    finding.key = server.address.ToString();
    finding.badness = share;
    finding.violation.observed =
        absl::StrFormat("%s has %s of slots, its capacity-weighted share is %s",
                        state.NameOf(server), Percent(share), Percent(intended[i]));
    finding.violation.limit =
        blocks ? report.limit : absl::StrFormat("warns above %.3gx", kWarnFactor);
    Limits wanted = limits;
    if (!blocks) wanted.factor = std::min(kWarnFactor, limits.factor);
    ProposeFix(c, wanted, finding);
  }
}

}  // namespace evenkeel::guard
