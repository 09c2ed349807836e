// SPDX-License-Identifier: Apache-2.0
#include "control/guard/changes.h"

#include <algorithm>
#include <map>

#include "control/guard/server_weights.h"

namespace evenkeel::guard {
namespace {

using Kind = PoolChange::Kind;

// Each backend's share, by its place in the pool: its server's, divided by weight where a server
// has several names.
std::vector<double> SharesOf(const PoolState& state) {
  std::vector<double> shares(state.pool->backends.size(), 0);
  for (const Server& server : state.servers) {
    for (size_t i : server.backends) {
      const auto weight = static_cast<double>(state.pool->backends[i].weight);
      const double part = weight / static_cast<double>(server.weight);
      shares[i] = state.Share(server) * (server.backends.size() > 1 ? part : 1);
    }
  }
  return shares;
}

std::vector<BackendChange> DescribeBackends(const PoolState* before, const PoolState* after) {
  std::map<std::string_view, BackendChange> changes;
  if (before != nullptr) {
    const std::vector<double> shares = SharesOf(*before);
    for (size_t i = 0; i < shares.size(); ++i) {
      const model::Backend& backend = before->pool->backends[i];
      BackendChange& change = changes[backend.name];
      change.name = backend.name;
      change.address = backend.address;
      change.share_before = shares[i];
      change.state_after = model::AdminState::kDisabled;
      change.removed = true;
    }
  }
  if (after != nullptr) {
    const std::vector<double> shares = SharesOf(*after);
    for (size_t i = 0; i < shares.size(); ++i) {
      const model::Backend& backend = after->pool->backends[i];
      BackendChange& change = changes[backend.name];
      change.added = !change.removed;
      change.removed = false;
      change.name = backend.name;
      change.address = backend.address;
      change.share_after = shares[i];
      change.state_after = backend.state;
    }
  }
  std::vector<BackendChange> list;
  for (auto& [name, change] : changes) list.push_back(std::move(change));
  return list;
}

PoolChange DescribePool(const PoolState* before, const PoolState* after) {
  PoolChange change;
  change.pool = (after != nullptr ? after : before)->pool->name;
  change.table_size = (after != nullptr ? after : before)->built->table->size;
  if (before == nullptr || after == nullptr) {
    change.kind = before == nullptr ? Kind::kAdded : Kind::kRemoved;
    change.slots_moved = change.table_size;
  } else if (IsUntouched(*before, *after)) {
    return change;
  } else {
    change.kind = Kind::kChanged;
    change.slots_moved = SlotsMoved(*before->built->table, *after->built->table);
  }
  change.backends = DescribeBackends(before, after);
  return change;
}

bool HaveSameClients(const model::Vip& before, const FleetState& base, const model::Vip& after,
                     const FleetState& candidate) {
  const SourceAccess a = base.fleet->AccessOf(before), b = candidate.fleet->AccessOf(after);
  const auto same = [](const BuiltRules* x, const BuiltRules* y) {
    return x == y || (x != nullptr && y != nullptr && x->digest == y->digest);
  };
  return same(a.global, b.global) && same(a.own, b.own);
}

}  // namespace

bool IsDrainOfOne(const PoolState& before, const PoolState& after) {
  if (before.pool->name != after.pool->name || before.pool->forwarding != after.pool->forwarding ||
      before.built->table->size != after.built->table->size) {
    return false;
  }
  // Drains one after the other must not end where the outage began: with all traffic on one server.
  const size_t least = after.pool->policy.single_backend ? 1 : 2;
  if (after.servers.size() < least || before.servers.size() != after.servers.size() + 1) {
    return false;
  }
  const Server* drained = nullptr;
  for (const Server& server : before.servers) {
    const Server* now = after.Find(server.address);
    if (now != nullptr && now->weight != server.weight) return false;
    if (now == nullptr) {
      if (drained != nullptr) return false;
      drained = &server;
    }
  }
  const auto& listed = after.pool->backends;
  return drained != nullptr && std::any_of(listed.begin(), listed.end(), [&](const auto& b) {
           return b.address == drained->address;
         });
}

bool IsUntouched(const PoolState& before, const PoolState& after) {
  return before.built == after.built ||
         (*before.pool == *after.pool && before.built->digest == after.built->digest);
}

bool DiffersInBackendsOnly(const PoolState& before, const PoolState& after) {
  const auto rest_of = [](const model::Pool& pool) {
    model::Pool rest = pool;
    rest.backends.clear();
    rest.policy.single_backend.reset();
    return rest;
  };
  return rest_of(*before.pool) == rest_of(*after.pool);
}

bool DifferInPoolsOnly(const FleetState& before, const FleetState& after) {
  const BuiltFleet &a = *before.fleet, &b = *after.fleet;
  const auto same_name = [](const auto& x, const auto& y) { return x->name() == y->name(); };
  const auto same = [](const auto& x, const auto& y) { return x == y || x->config == y->config; };
  return a.vips == b.vips && a.policy == b.policy &&
         a.global_source_rules == b.global_source_rules &&
         std::equal(a.source_rules.begin(), a.source_rules.end(), b.source_rules.begin(),
                    b.source_rules.end(), same) &&
         std::equal(a.pools.begin(), a.pools.end(), b.pools.begin(), b.pools.end(), same_name);
}

bool HasSameTraffic(const PoolState& before, const PoolState& after) {
  return before.policy == after.policy && before.built->digest == after.built->digest;
}

uint32_t SlotsMoved(const BuiltTable& before, const BuiltTable& after) {
  if (&before == &after) return 0;
  if (before.owner.size() != after.owner.size()) return static_cast<uint32_t>(after.owner.size());
  // The index that a server of `before` has in `after`; a server that left matches no slot.
  constexpr uint32_t kGone = 0x10000;
  std::vector<uint32_t> renumbered(maglev::kNoOwner + size_t{1}, kGone);
  for (size_t i = 0; i < before.servers.size() && i < maglev::kNoOwner; ++i) {
    const auto it = std::lower_bound(after.servers.begin(), after.servers.end(), before.servers[i]);
    if (it != after.servers.end() && *it == before.servers[i]) {
      renumbered[i] = static_cast<uint32_t>(it - after.servers.begin());
    }
  }
  renumbered[maglev::kNoOwner] = maglev::kNoOwner;
  uint32_t moved = 0;
  for (size_t slot = 0; slot < before.owner.size(); ++slot) {
    moved += renumbered[before.owner[slot]] != after.owner[slot];
  }
  return moved;
}

void DescribeChanges(const FleetState& candidate, const FleetState* base, Verdict& verdict) {
  for (const PoolState& after : candidate.pools) {
    verdict.pools.push_back(
        DescribePool(base == nullptr ? nullptr : base->Find(after.pool->name), &after));
  }
  for (const model::Vip& vip : candidate.fleet->vips) {
    const model::Vip* before = base == nullptr ? nullptr : base->fleet->FindVip(vip.name);
    const Kind kind = before == nullptr ? Kind::kAdded
                      : *before == vip && HaveSameClients(*before, *base, vip, candidate)
                          ? Kind::kUnchanged
                          : Kind::kChanged;
    verdict.vips.push_back({vip.name, kind});
  }
  if (base == nullptr) return;
  for (const PoolState& before : base->pools) {
    if (candidate.Find(before.pool->name) == nullptr) {
      verdict.pools.push_back(DescribePool(&before, nullptr));
    }
  }
  for (const model::Vip& vip : base->fleet->vips) {
    if (candidate.fleet->FindVip(vip.name) == nullptr) {
      verdict.vips.push_back({vip.name, Kind::kRemoved});
    }
  }
}

}  // namespace evenkeel::guard
