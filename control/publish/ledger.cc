// SPDX-License-Identifier: Apache-2.0
#include "control/publish/ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace evenkeel::publish {
namespace {

absl::Status Exhausted(absl::string_view what, uint32_t limit, absl::string_view setting) {
  return absl::ResourceExhaustedError(absl::StrCat("no free ", what, ": the data plane was made ",
                                                   "for ", limit, "; raise ", setting,
                                                   " and create it anew"));
}

// Tables that fit each other's memory in the kernel. The granularity of backends is the one that
// their room is given out in.
uint64_t KindOf(const TableRecord& record) {
  constexpr uint64_t kBackendRoom = 64;
  return uint64_t{record.size} << 32 | record.backends.size() / kBackendRoom;
}

}  // namespace

uint8_t MethodOf(model::Forwarding forwarding, const model::IpAddress& backend) {
  if (forwarding == model::Forwarding::kL2) return EK_METHOD_L2;
  if (forwarding == model::Forwarding::kGue) {
    return backend.is_ipv4() ? EK_METHOD_GUE4 : EK_METHOD_GUE6;
  }
  return backend.is_ipv4() ? EK_METHOD_IPIP4 : EK_METHOD_IPIP6;
}

size_t OuterLength(uint8_t method) {
  constexpr size_t kIpv4 = 20, kIpv6 = 40, kUdp = 8;
  switch (method) {
    case EK_METHOD_IPIP4:
      return kIpv4;
    case EK_METHOD_IPIP6:
      return kIpv6;
    case EK_METHOD_GUE4:
      return kIpv4 + kUdp;
    case EK_METHOD_GUE6:
      return kIpv6 + kUdp;
    default:
      return 0;
  }
}

absl::StatusOr<std::vector<BackendSlot>> Ledger::AssignLocalIds(
    const std::string& pool, model::Forwarding forwarding,
    const std::vector<model::IpAddress>& backends) const {
  absl::flat_hash_map<model::IpAddress, size_t> known;
  std::vector<bool> taken;
  for (const TableRef& table : TablesOf(pool)) {
    if (taken.size() < table->backends.size()) taken.resize(table->backends.size());
    for (size_t i = 0; i < table->backends.size(); ++i) {
      if (table->backends[i].method == EK_METHOD_NONE) continue;
      taken[i] = true;
      known[table->backends[i].address] = i;
    }
  }
  std::vector<BackendSlot> slots;
  size_t next = 0;
  for (const model::IpAddress& address : backends) {
    const auto it = known.find(address);
    size_t index = it != known.end() ? it->second : next;
    if (it == known.end()) {
      while (index < taken.size() && taken[index]) ++index;
      next = index + 1;
      if (index >= EK_MAX_POOL_BACKENDS) {
        return Exhausted(absl::StrCat("backend id in pool ", pool), EK_MAX_POOL_BACKENDS,
                         "the number of pools");
      }
    }
    if (slots.size() <= index) slots.resize(index + 1);
    slots[index] = {.address = address, .method = MethodOf(forwarding, address), .counter = 0};
  }
  return slots;
}

absl::Status Ledger::AcquireCounters(TableRecord& record) {
  for (size_t i = 0; i < record.backends.size(); ++i) {
    BackendSlot& slot = record.backends[i];
    if (slot.method == EK_METHOD_NONE) continue;
    const auto id = backend_counters_.Acquire({record.pool, slot.address});
    if (id) {
      slot.counter = *id;
      continue;
    }
    while (i-- > 0) {
      const BackendSlot& done = record.backends[i];
      if (done.method == EK_METHOD_NONE) continue;
      if (const auto freed = backend_counters_.Drop({record.pool, done.address})) {
        backend_counters_.Free(*freed);
      }
    }
    return Exhausted("backend counter", backend_counters_.limit(), "max_backends");
  }
  return absl::OkStatus();
}

TableRef Ledger::Enter(TableRecord record) {
  auto table = std::make_shared<const TableRecord>(std::move(record));
  by_pool_[table->pool].push_back(table);
  for (size_t i = 0; i < table->backends.size(); ++i) {
    const BackendSlot& slot = table->backends[i];
    if (slot.method == EK_METHOD_NONE) continue;
    places_[slot.address].push_back({.table = table->id,
                                     .table_size = table->size,
                                     .backend_id = static_cast<uint16_t>(i + 1),
                                     .method = slot.method});
  }
  return table;
}

absl::StatusOr<TableRef> Ledger::AddTable(const std::string& pool, uint32_t size,
                                          const guard::Digest& digest, model::Forwarding forwarding,
                                          const std::vector<model::IpAddress>& backends) {
  auto slots = AssignLocalIds(pool, forwarding, backends);
  if (!slots.ok()) return slots.status();
  TableRecord record;
  record.size = size;
  record.pool = pool;
  record.digest = digest;
  record.forwarding = forwarding;
  record.backends = *std::move(slots);
  const auto id = tables_.Acquire(KindOf(record));
  if (!id) return Exhausted("table", tables_.limit(), "max_tables");
  record.id = *id;
  if (auto status = AcquireCounters(record); !status.ok()) {
    tables_.Release(*id, KindOf(record));
    return status;
  }
  return Enter(std::move(record));
}

absl::StatusOr<TableRef> Ledger::AdoptTable(TableRecord record) {
  if (!tables_.Take(record.id)) {
    return absl::FailedPreconditionError(absl::StrCat("table ", record.id, " is taken twice"));
  }
  for (const BackendSlot& slot : record.backends) {
    if (slot.method == EK_METHOD_NONE) continue;
    if (!backend_counters_.Adopt({record.pool, slot.address}, slot.counter)) {
      return absl::FailedPreconditionError(absl::StrCat("counter ", slot.counter, " of backend ",
                                                        slot.address.ToString(), " in table ",
                                                        record.id, " is another backend's"));
    }
  }
  return Enter(std::move(record));
}

std::vector<uint32_t> Ledger::RemoveTable(const TableRef& table) {
  std::vector<uint32_t> counters;
  for (const BackendSlot& slot : table->backends) {
    if (slot.method == EK_METHOD_NONE) continue;
    if (const auto id = backend_counters_.Drop({table->pool, slot.address})) {
      counters.push_back(*id);
    }
    auto places = places_.find(slot.address);
    std::erase_if(places->second, [&](const Place& place) { return place.table == table->id; });
    if (places->second.empty()) places_.erase(places);
  }
  auto tables = by_pool_.find(table->pool);
  std::erase(tables->second, table);
  if (tables->second.empty()) by_pool_.erase(tables);
  tables_.Release(table->id, KindOf(*table));
  return counters;
}

void Ledger::FreeBackendCounters(const std::vector<uint32_t>& ids) {
  for (const uint32_t id : ids) backend_counters_.Free(id);
}

absl::StatusOr<uint32_t> Ledger::AcquireVip(const dataplane::VipKey& key) {
  const auto id = vip_counters_.Acquire(key);
  if (!id) return Exhausted("VIP counter", vip_counters_.limit(), "max_vips");
  return *id;
}

absl::Status Ledger::AdoptVip(const dataplane::VipKey& key, uint32_t counter) {
  if (vip_counters_.Adopt(key, counter)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("counter ", counter, " of VIP ", key.address.ToString(), " is another VIP's"));
}

std::optional<uint32_t> Ledger::DropVip(const dataplane::VipKey& key) {
  return vip_counters_.Drop(key);
}

absl::StatusOr<uint32_t> Ledger::AcquireRules(const guard::Digest& digest) {
  if (const auto id = rules_.Acquire(digest)) return *id;
  return absl::ResourceExhaustedError(absl::StrCat("no free set of source rules: at most ",
                                                   EK_MAX_RULE_SETS - 1, " stand at a time"));
}

absl::Status Ledger::AdoptRules(const guard::Digest& digest, uint32_t id) {
  if (rules_.Adopt(digest, id)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("source rules ", id, " (digest ", digest.ToShort(), ") are there twice"));
}

std::vector<TableRef> Ledger::TablesOf(const std::string& pool) const {
  const auto it = by_pool_.find(pool);
  return it == by_pool_.end() ? std::vector<TableRef>{} : it->second;
}

const std::vector<Place>& Ledger::PlacesOf(const model::IpAddress& address) const {
  static const std::vector<Place> kNone;
  const auto it = places_.find(address);
  return it == places_.end() ? kNone : it->second;
}

std::vector<model::IpAddress> Ledger::Addresses() const {
  std::vector<model::IpAddress> addresses;
  addresses.reserve(places_.size());
  for (const auto& [address, places] : places_) addresses.push_back(address);
  return addresses;
}

std::optional<uint32_t> Ledger::BackendCounter(const std::string& pool,
                                               const model::IpAddress& address) const {
  return backend_counters_.Find({pool, address});
}

std::optional<uint32_t> Ledger::VipCounter(const dataplane::VipKey& key) const {
  return vip_counters_.Find(key);
}

}  // namespace evenkeel::publish
