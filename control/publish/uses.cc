// SPDX-License-Identifier: Apache-2.0
//
// What still leads to a server that is on its way out.
#include <algorithm>

#include "bpf/lib/hash.h"
#include "control/publish/publisher_impl.h"

namespace evenkeel::publish {
namespace {

// Most pools with moving slots have no server that leaves; they need no second look.
bool HasLeaving(const model::Pool& pool) {
  return std::any_of(pool.backends.begin(), pool.backends.end(), [](const model::Backend& b) {
    return !b.serving() && b.state != model::AdminState::kDisabled;
  });
}

}  // namespace

void Publisher::Impl::NoteUses(const TableRef& table, const std::vector<uint32_t>& words,
                               const std::vector<dataplane::Pin>& pins, uint32_t read,
                               const Tracker& tracker) {
  const guard::BuiltPool* pool = active->fleet ? active->fleet->FindPool(table->pool) : nullptr;
  if (pool == nullptr || !HasLeaving(pool->config)) {
    uses.erase(table->id);
    return;
  }
  TableUse use{.held = tracker.HeldBy(words, table->backends.size()),
               .pinned = {},
               .complete = sweep_began_with.contains(table)};
  absl::flat_hash_set<uint32_t> counters;
  for (const BackendSlot& slot : table->backends) {
    if (slot.method != EK_METHOD_NONE) counters.insert(slot.counter);
  }
  for (const dataplane::Pin& pin : pins) {
    if (!counters.contains(pin.counter) || !IsAlive(pin, read, timeouts)) continue;
    // Nobody looks a pin of a steady slot up.
    if (EK_SLOT_PREVIOUS(words[ek_hash_slot(pin.flow, table->size)]) != 0)
      ++use.pinned[pin.counter];
  }
  uses[table->id] = std::move(use);
}

ServerUse Publisher::Impl::UseOf(const guard::BuiltPool& pool,
                                 const model::IpAddress& server) const {
  ServerUse use{.pool = pool.name()};
  const auto table = std::find_if(active->tables.begin(), active->tables.end(),
                                  [&](const TableRef& t) { return t->pool == pool.name(); });
  if (table == active->tables.end()) return use;
  const std::vector<BackendSlot>& backends = (*table)->backends;
  const auto entry = std::find_if(backends.begin(), backends.end(), [&](const BackendSlot& b) {
    return b.method != EK_METHOD_NONE && b.address == server;
  });
  if (entry == backends.end()) return use;
  use.entry = true;
  const std::vector<model::IpAddress>& servers = pool.table->servers;
  const auto at = std::lower_bound(servers.begin(), servers.end(), server);
  if (at != servers.end() && *at == server) {
    use.slots = pool.slots[static_cast<size_t>(at - servers.begin())];
  }
  use.tracked = std::any_of(active->vips.begin(), active->vips.end(), [&](const auto& vip) {
    return vip.table == (*table)->id && !(vip.flags & EK_VIP_STATELESS);
  });
  const auto& ids = pool.table->server_ids;
  use.by_id =
      std::any_of(ids.begin(), ids.end(), [&](const auto& id) { return id.server == server; });
  if (!moving_tables.contains((*table)->id)) return use;  // every slot is its owner's alone
  const auto found = uses.find((*table)->id);
  use.known = found != uses.end() && found->second.complete;
  if (!use.known) return use;
  const auto id = static_cast<size_t>(entry - backends.begin()) + 1;
  use.held_slots = found->second.held[id].slots;
  use.used_slots = found->second.held[id].used;
  const auto pinned = found->second.pinned.find(entry->counter);
  if (pinned != found->second.pinned.end()) use.pinned = pinned->second;
  return use;
}

std::vector<ServerUse> Publisher::Impl::UsesOf(const model::IpAddress& server) const {
  std::vector<ServerUse> list;
  if (!active || !active->fleet) return list;
  for (const auto& pool : active->fleet->pools) {
    const std::vector<model::Backend>& backends = pool->config.backends;
    const bool has = std::any_of(backends.begin(), backends.end(),
                                 [&](const model::Backend& b) { return b.address == server; });
    if (has) list.push_back(UseOf(*pool, server));
  }
  return list;
}

}  // namespace evenkeel::publish
