// SPDX-License-Identifier: Apache-2.0
//
// LB004: what becomes of the servers that are left when a server, a rack or a zone is lost.
//
// The lost slots go to the others in proportion to their weights, as Maglev respreads them: a
// server with `s` of the built table's slots then has s / (size - lost) of them, to a slot what
// building the table anew would give. So one pass over a pool's servers judges all losses of a
// kind: after a loss, the hottest server is the one with the most slots per capacity that is not
// lost itself.
#include <algorithm>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr double kMaxUse = 0.8;  // of a server's capacity
// Without a declared load: what is taken for it, as a part of the capacity of all that serve.
constexpr double kAssumedLoad = 0.25;
constexpr double kSlotTolerance = 2;

// What fails together. A server of which that is not known has the empty name: it is never lost,
// but it can be the hottest.
struct Domain {
  std::string_view name;
  double slots = 0;
  double heat = 0;  // the most slots per capacity among its servers
  const Server* hottest = nullptr;
};

// The loss that leaves a server with the most to carry.
struct Loss {
  const char* kind = "";
  std::string_view lost;
  const Server* hottest = nullptr;
  double share = 0;  // of all slots, that the hottest has after the loss
  double use = 0;    // its share per capacity
};

const model::Backend& BackendOf(const PoolState& state, const Server& server) {
  return state.pool->backends[server.backends.front()];
}

// Without capacities, weights are the only statement of what a server can take.
double CapacityOf(const PoolState& state, const Server& server, bool declared) {
  return declared ? *BackendOf(state, server).capacity : static_cast<double>(server.weight);
}

void AddServer(const Server& server, double heat, Domain& domain) {
  domain.slots += server.slots;
  if (domain.hottest != nullptr && heat <= domain.heat) return;
  domain.heat = heat;
  domain.hottest = &server;
}

std::vector<Domain> EachAlone(const PoolState& state, std::span<const double> heats) {
  std::vector<Domain> domains(state.servers.size());
  for (size_t i = 0; i < domains.size(); ++i) {
    domains[i].name = BackendOf(state, state.servers[i]).name;
    AddServer(state.servers[i], heats[i], domains[i]);
  }
  return domains;
}

std::vector<Domain> Grouped(const PoolState& state, std::span<const double> heats,
                            std::string model::Backend::*name) {
  std::vector<Domain> domains;
  const bool known = std::any_of(state.servers.begin(), state.servers.end(), [&](const Server& s) {
    return !(BackendOf(state, s).*name).empty();
  });
  if (!known) return domains;
  absl::flat_hash_map<std::string_view, size_t> index;
  for (size_t i = 0; i < heats.size(); ++i) {
    const std::string_view group = BackendOf(state, state.servers[i]).*name;
    const auto [it, fresh] = index.try_emplace(group, domains.size());
    if (fresh) domains.emplace_back().name = group;
    AddServer(state.servers[i], heats[i], domains[it->second]);
  }
  return domains;
}

// No loss where one domain is all there is.
Loss WorstLoss(const char* kind, const std::vector<Domain>& domains, double size) {
  Loss worst;
  if (domains.size() < 2) return worst;
  size_t first = 0, second = 1;
  if (domains[second].heat > domains[first].heat) std::swap(first, second);
  for (size_t i = 2; i < domains.size(); ++i) {
    if (domains[i].heat > domains[first].heat) {
      second = std::exchange(first, i);
    } else if (domains[i].heat > domains[second].heat) {
      second = i;
    }
  }
  for (size_t i = 0; i < domains.size(); ++i) {
    if (domains[i].name.empty() || domains[i].slots >= size) continue;
    const Domain& rest = domains[i == first ? second : first];
    const double left = size - domains[i].slots;
    const double use = rest.heat / left;
    if (use > worst.use) {
      worst = {kind, domains[i].name, rest.hottest, rest.hottest->slots / left, use};
    }
  }
  return worst;
}

// Of each kind that is known of some server.
std::vector<Loss> WorstLosses(const PoolState& state, bool by_capacity) {
  std::vector<double> heats;
  for (const Server& server : state.servers) {
    heats.push_back(server.slots / CapacityOf(state, server, by_capacity));
  }
  std::vector<Loss> losses = {WorstLoss("backend", EachAlone(state, heats), state.size())};
  for (const auto& [kind, name] :
       {std::pair("rack", &model::Backend::rack), std::pair("zone", &model::Backend::zone)}) {
    losses.push_back(WorstLoss(kind, Grouped(state, heats, name), state.size()));
  }
  std::erase_if(losses, [](const Loss& loss) { return loss.hottest == nullptr; });
  return losses;
}

struct Load {
  double value;
  bool declared;     // by policy.peak_load
  bool by_capacity;  // every serving backend declares one

  std::string Describe() const {
    if (declared) return absl::StrFormat("the peak load of %g", value);
    return absl::StrCat("a load of ", Percent(kAssumedLoad), " of all ",
                        by_capacity ? "capacity" : "weight");
  }
};

Load LoadOf(const PoolCase& c, bool by_capacity) {
  const std::optional<double>& peak = c.policy().peak_load;
  if (peak && by_capacity) return {*peak, true, true};
  double total = 0;
  for (const Server& server : c.state.servers) total += CapacityOf(c.state, server, by_capacity);
  return {kAssumedLoad * total, false, by_capacity};
}

void ProposeFix(const PoolCase& c, const Load& load, const Loss& loss, Finding& finding) {
  const double passing = kMaxUse / loss.use;
  std::string& fix = finding.violation.fix;
  const char* unit = load.by_capacity ? "capacity" : "weight";
  fix = absl::StrFormat("the pool carries at most %.4g through this loss: add %s outside of %s",
                        passing, unit, loss.lost);
  const double heat = c.state.Share(*loss.hottest);
  absl::StrAppend(&fix, ", or lower the weight of ", c.state.NameOf(*loss.hottest), ", which has ",
                  Percent(heat), " of slots");
  if (!load.by_capacity) {
    absl::StrAppend(&fix, "; give every backend its capacity to have it judged by that");
  } else if (!load.declared) {
    absl::StrAppend(&fix, "; if the pool's peak is lower than that, declare policy.peak_load");
  }
}

std::string Describe(const PoolCase& c, const Load& load, const Loss& loss) {
  return absl::StrFormat("losing %s %s leaves %s with %s of its %s at %s", loss.kind, loss.lost,
                         c.state.NameOf(*loss.hottest), Percent(load.value * loss.use),
                         load.by_capacity ? "capacity" : "weight", load.Describe());
}

bool IsTooMuch(const PoolState& state, const Load& load, const Loss& loss) {
  const double share = loss.share - kSlotTolerance / state.size();
  return load.value * loss.use * share / loss.share > kMaxUse;
}

void AddLoss(const PoolCase& c, const Load& load, const Loss& loss, Report& report) {
  const size_t backend = loss.hottest->backends.front();
  Finding& finding = report.Add(load.by_capacity ? Severity::kBlock : Severity::kWarn,
                                BackendSubject(c.state, backend), BackendField(c.state, backend));
  finding.key = loss.kind;
  finding.badness = loss.use;
  finding.violation.observed = Describe(c, load, loss);
  finding.violation.limit = report.limit;
  if (!load.by_capacity)
    absl::StrAppend(&finding.violation.limit, "; blocks where all declare one");
  ProposeFix(c, load, loss, finding);
}

}  // namespace

void CheckNMinus1(const PoolCase& c, Report& report) {
  report.limit = absl::StrCat("at most ", Percent(kMaxUse), " of a server's capacity");
  report.observed = absl::StrCat(c.state.servers.size(), " serving");
  if (c.policy().single_backend) {
    report.limit = "none: single_backend is declared";
    return;
  }
  if (c.state.servers.size() < 2) return;  // LB003's business
  const bool declared = DeclaresCapacity(c.state);
  const Load load = LoadOf(c, declared);
  const std::vector<Loss> losses = WorstLosses(c.state, declared);
  for (const Loss& loss : losses) {
    if (IsTooMuch(c.state, load, loss)) AddLoss(c, load, loss, report);
  }
  const auto worst = std::max_element(losses.begin(), losses.end(),
                                      [](const Loss& a, const Loss& b) { return a.use < b.use; });
  if (worst != losses.end()) report.observed = Describe(c, load, *worst);
}

}  // namespace evenkeel::guard
