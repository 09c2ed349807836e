// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/load.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/guard/words.h"

namespace evenkeel::traffic {
namespace {

struct Server {
  ServerLoad load;
  std::string name;
  const model::Backend* backend = nullptr;
  double slots = 0;
};

// What can be lost at once, and what that gives to each slot that is left.
struct Domain {
  std::string kind, name;
  std::vector<size_t> servers;
  double load = 0, slots = 0;

  std::string Name() const { return kind.empty() ? name : absl::StrCat(kind, " ", name); }
};

std::vector<Server> ServersOf(const model::Pool& asked, const guard::BuiltPool& built,
                              const std::map<model::IpAddress, double>& rates) {
  const std::vector<model::IpAddress>& addresses = built.table->servers;
  std::vector<Server> servers(addresses.size());
  std::map<model::IpAddress, size_t> index;
  for (size_t i = 0; i < servers.size(); ++i) {
    servers[i].load.address = addresses[i];
    servers[i].slots = built.slots[i];
    index[addresses[i]] = i;
    const auto rate = rates.find(addresses[i]);
    if (rate != rates.end()) servers[i].load.load = rate->second;
  }
  for (const model::Backend& backend : asked.backends) {
    const auto found = index.find(backend.address);
    if (found == index.end() || !backend.serving()) continue;
    Server& server = servers[found->second];
    if (server.backend != nullptr) continue;  // one server under several names
    server.backend = &backend;
    server.name = backend.name;
    server.load.capacity = backend.capacity;
  }
  return servers;
}

std::vector<Domain> Grouped(const std::vector<Server>& servers, const std::string& kind,
                            std::string model::Backend::*name) {
  std::map<std::string, Domain> domains;
  for (size_t i = 0; i < servers.size(); ++i) {
    if (servers[i].backend == nullptr || (servers[i].backend->*name).empty()) continue;
    Domain& domain = domains[servers[i].backend->*name];
    domain.kind = kind;
    domain.name = servers[i].backend->*name;
    domain.servers.push_back(i);
    domain.load += servers[i].load.load;
    domain.slots += servers[i].slots;
  }
  std::vector<Domain> list;
  for (auto& [of, domain] : domains) list.push_back(std::move(domain));
  return list;
}

std::vector<Domain> EachAlone(const std::vector<Server>& servers) {
  std::vector<Domain> domains;
  for (size_t i = 0; i < servers.size(); ++i) {
    domains.push_back({.kind = "",
                       .name = servers[i].name,
                       .servers = {i},
                       .load = servers[i].load.load,
                       .slots = servers[i].slots});
  }
  return domains;
}

// To each slot that is left; nothing where none is.
double Spread(const Domain& domain, double all) {
  return domain.slots < all ? domain.load / (all - domain.slots) : 0;
}

// Gives each server the worst of these losses, of those that do not take itself.
void Lose(const std::vector<Domain>& domains, double all, std::vector<Server>& servers) {
  std::vector<const Domain*> worst;
  for (const Domain& domain : domains) worst.push_back(&domain);
  const auto by_spread = [all](const Domain* a, const Domain* b) {
    return Spread(*a, all) > Spread(*b, all);
  };
  const size_t two = std::min<size_t>(2, worst.size());
  std::partial_sort(worst.begin(), worst.begin() + static_cast<ptrdiff_t>(two), worst.end(),
                    by_spread);
  worst.resize(two);
  for (size_t i = 0; i < servers.size(); ++i) {
    for (const Domain* domain : worst) {
      if (std::find(domain->servers.begin(), domain->servers.end(), i) != domain->servers.end()) {
        continue;  // then it is the second that is worst
      }
      const double after = servers[i].load.load + servers[i].slots * Spread(*domain, all);
      if (after > servers[i].load.after) {
        servers[i].load.after = after;
        servers[i].load.loss = domain->Name();
      }
      break;
    }
  }
}

DomainLoad Describe(const Domain& domain, double all, const std::vector<Server>& servers) {
  DomainLoad out{.kind = domain.kind, .name = domain.name, .load = domain.load};
  double capacity = 0;
  bool declared = true;
  std::vector<bool> lost(servers.size(), false);
  for (const size_t i : domain.servers) {
    lost[i] = true;
    declared = declared && servers[i].load.capacity.has_value();
    capacity += servers[i].load.capacity.value_or(0);
  }
  if (declared) out.capacity = capacity;
  for (size_t i = 0; i < servers.size(); ++i) {
    const Server& server = servers[i];
    if (lost[i] || !server.load.capacity) continue;
    const double use =
        (server.load.load + server.slots * Spread(domain, all)) / *server.load.capacity;
    if (use <= out.use) continue;
    out.use = use;
    out.hottest = server.name;
  }
  return out;
}

std::string ProblemOf(const std::vector<Server>& servers) {
  const Server* worst = nullptr;
  double most = 1;
  for (const Server& server : servers) {
    if (!server.load.capacity) continue;
    const double use = std::max(server.load.load, server.load.after) / *server.load.capacity;
    if (use <= most) continue;
    most = use;
    worst = &server;
  }
  if (worst == nullptr) return "";
  const double now = worst->load.load / *worst->load.capacity;
  if (now > 1) {
    return absl::StrCat(worst->name, " carries ", guard::Percent(now), " of its capacity");
  }
  return absl::StrCat(worst->name, " would carry ", guard::Percent(most),
                      " of its capacity without ", worst->load.loss);
}

}  // namespace

PoolLoad LoadOf(const model::Pool& asked, const guard::BuiltPool& built,
                const std::map<model::IpAddress, double>& rates) {
  std::vector<Server> servers = ServersOf(asked, built, rates);
  const double all = built.table->size;
  const std::vector<Domain> racks = Grouped(servers, "rack", &model::Backend::rack);
  const std::vector<Domain> zones = Grouped(servers, "zone", &model::Backend::zone);
  for (Server& server : servers) server.load.after = server.load.load;
  PoolLoad load;
  for (const std::vector<Domain>& domains : {EachAlone(servers), racks, zones}) {
    Lose(domains, all, servers);
  }
  for (const std::vector<Domain>* domains : {&racks, &zones}) {
    for (const Domain& domain : *domains) load.domains.push_back(Describe(domain, all, servers));
  }
  load.problem = ProblemOf(servers);
  for (Server& server : servers) load.servers.push_back(std::move(server.load));
  return load;
}

}  // namespace evenkeel::traffic
