// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "control/guard/rule.h"
#include "control/guard/server_weights.h"

namespace evenkeel::guard {
namespace {

uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  return b > std::numeric_limits<uint64_t>::max() - a ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}

}  // namespace

const Server* PoolState::Find(const model::IpAddress& address) const {
  auto it =
      std::lower_bound(servers.begin(), servers.end(), address,
                       [](const Server& s, const model::IpAddress& a) { return s.address < a; });
  return it != servers.end() && it->address == address ? &*it : nullptr;
}

std::string PoolState::NameOf(const Server& server) const {
  std::string names;
  for (size_t i : server.backends) {
    absl::StrAppend(&names, names.empty() ? "" : "+", pool->backends[i].name);
  }
  return names;
}

uint64_t PoolState::TotalWeight() const {
  return std::accumulate(
      servers.begin(), servers.end(), uint64_t{0},
      [](uint64_t sum, const Server& s) { return SaturatingAdd(sum, s.weight); });
}

PoolState MakePoolState(const BuiltPool& built, size_t index, std::span<const uint32_t> slots) {
  const model::Pool& pool = built.config;
  std::vector<size_t> order;
  for (size_t i = 0; i < pool.backends.size(); ++i) {
    if (pool.backends[i].serving()) order.push_back(i);
  }
  const auto by_address = [&](size_t a, size_t b) {
    return pool.backends[a].address < pool.backends[b].address;
  };
  if (!std::is_sorted(order.begin(), order.end(), by_address)) {
    std::stable_sort(order.begin(), order.end(), by_address);
  }
  PoolState state{&pool, index, &built, {}, {}, {}};
  state.servers.reserve(order.size());
  for (size_t i : order) {
    const model::Backend& backend = pool.backends[i];
    if (state.servers.empty() || state.servers.back().address != backend.address) {
      state.servers.push_back({backend.address, 0, 0, {}});
    }
    Server& server = state.servers.back();
    server.weight = SaturatingAdd(server.weight, static_cast<uint64_t>(backend.weight));
    server.backends.push_back(i);
  }
  // By address, not by position: a table for other servers must not pass for this pool's (LB002).
  const std::vector<model::IpAddress>& built_servers = built.table->servers;
  for (size_t i = 0; i < built_servers.size() && i < slots.size(); ++i) {
    if (i < state.servers.size() && state.servers[i].address == built_servers[i]) {
      state.servers[i].slots = slots[i];  // nearly always
    } else if (const Server* server = state.Find(built_servers[i])) {
      state.servers[static_cast<size_t>(server - state.servers.data())].slots = slots[i];
    }
  }
  return state;
}

const PoolState* FleetState::Find(std::string_view name) const {
  const auto it = by_name.find(name);
  return it == by_name.end() ? nullptr : &pools[it->second];
}

namespace {

// `slots_of` gives the counted slots of a pool's table.
template <typename SlotsOf>
FleetState MakeState(const BuiltFleet& fleet, const model::Policy& host, SlotsOf slots_of) {
  FleetState state;
  state.fleet = &fleet;
  state.pools.reserve(fleet.pools.size());
  for (size_t i = 0; i < fleet.pools.size(); ++i) {
    const BuiltPool& built = *fleet.pools[i];
    if (built.table == nullptr) {
      throw std::invalid_argument(absl::StrCat("pool \"", built.name(), "\" has no table"));
    }
    state.pools.push_back(MakePoolState(built, i, slots_of(built)));
    state.pools.back().policy = StricterOf(host, fleet.policy, built.config.policy);
    state.by_name.emplace(built.name(), i);
  }
  for (size_t i = 0; i < fleet.vips.size(); ++i) {
    const model::Vip& vip = fleet.vips[i];
    state.vip_addresses.insert(vip.address);
    const auto it = state.by_name.find(vip.pool);
    if (it == state.by_name.end()) {
      throw std::invalid_argument(absl::StrCat("VIP \"", vip.name, "\" leads to no pool"));
    }
    state.pools[it->second].vips.push_back(i);
  }
  return state;
}

// What was counted when the table was built, unless it cannot be right.
std::vector<uint32_t> KnownSlots(const BuiltPool& built) {
  const BuiltTable& table = *built.table;
  const auto sum = std::accumulate(built.slots.begin(), built.slots.end(), uint64_t{0});
  const bool plausible = built.slots.size() == table.servers.size() && sum == table.size;
  return plausible ? built.slots : table.CountSlots();
}

}  // namespace

FleetState MakeRunningState(const BuiltFleet& fleet, const model::Policy& host) {
  return MakeState(fleet, host, KnownSlots);
}

FleetState MakeCandidateState(const BuiltFleet& fleet, const model::Policy& host,
                              const FleetState* running) {
  return MakeState(fleet, host, [&](const BuiltPool& built) {
    const PoolState* before = running == nullptr ? nullptr : running->Find(built.name());
    const bool shared = before != nullptr && before->built->table == built.table;
    return shared ? KnownSlots(*before->built) : built.table->CountSlots();
  });
}

std::vector<Transition> FindTransitions(const FleetState& candidate, const FleetState& base) {
  using Key = std::tuple<model::IpAddress, uint16_t, uint8_t>;
  const auto key_of = [](const model::Vip& vip) {
    return Key(vip.address, vip.port, IpProtocol(vip.protocol));
  };
  std::map<Key, std::pair<const model::Vip*, const PoolState*>> before;
  for (const model::Vip& vip : base.fleet->vips) {
    before[key_of(vip)] = {&vip, base.Find(vip.pool)};
  }
  std::map<std::pair<const PoolState*, const PoolState*>, Transition> grouped;
  for (const model::Vip& vip : candidate.fleet->vips) {
    const auto it = before.find(key_of(vip));
    const PoolState* after = candidate.Find(vip.pool);
    if (it == before.end() || it->second.second == nullptr || after == nullptr) continue;
    const auto [vip_before, pool_before] = it->second;
    Transition& transition = grouped[{pool_before, after}];
    transition.before = pool_before;
    transition.after = after;
    transition.key = candidate.fleet->key;
    transition.vips.push_back(&vip);
    const bool kept = SpreadOf(*vip_before, *pool_before->pool) == SpreadOf(vip, *after->pool);
    if (!kept && transition.respread == nullptr) transition.respread = &vip;
  }
  std::vector<Transition> transitions;
  for (auto& [pools, transition] : grouped) transitions.push_back(std::move(transition));
  std::sort(transitions.begin(), transitions.end(), [](const auto& a, const auto& b) {
    return std::pair(a.after->index, a.before->index) < std::pair(b.after->index, b.before->index);
  });
  return transitions;
}

Finding& Report::Add(Severity severity, std::string subject, std::string field) {
  Finding& finding = findings.emplace_back();
  finding.violation.severity = severity;
  finding.violation.subject = std::move(subject);
  finding.violation.field = std::move(field);
  return finding;
}

}  // namespace evenkeel::guard
