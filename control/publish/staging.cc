// SPDX-License-Identifier: Apache-2.0
#include "control/publish/staging.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "control/guard/server_weights.h"
#include "control/maglev/maglev.h"
#include "control/publish/moves.h"
#include "control/publish/reach.h"
#include "control/publish/readback.h"
#include "control/publish/treatment_flags.h"

namespace evenkeel::publish {
namespace {

// Bounds the images held in memory (262 KB each at the default size), while each chunk costs one
// grace period only.
constexpr size_t kChunk = 32;

// Addresses that get an entry: all but the disabled ones, each once, in order of the config.
std::vector<model::IpAddress> EntriesOf(const model::Pool& pool) {
  std::vector<model::IpAddress> addresses;
  absl::flat_hash_set<model::IpAddress> seen;
  for (const model::Backend& backend : pool.backends) {
    if (backend.state == model::AdminState::kDisabled) continue;
    if (seen.insert(backend.address).second) addresses.push_back(backend.address);
  }
  return addresses;
}

absl::Status WithPool(const absl::Status& status, const std::string& pool) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("pool ", pool, ": ", status.message()));
}

int64_t UnixNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool ListsEntriesInOrder(const model::Pool& pool, const TableRecord& table) {
  size_t next = 0;
  for (const model::Backend& backend : pool.backends) {
    if (backend.state == model::AdminState::kDisabled) continue;
    if (next == table.backends.size() || table.backends[next].method == EK_METHOD_NONE ||
        table.backends[next].address != backend.address) {
      return false;
    }
    ++next;
  }
  return next == table.backends.size();
}

bool SameTable(const TableRecord& table, const guard::BuiltPool& pool) {
  if (table.digest != pool.digest || table.size != pool.table->size) return false;
  if (ListsEntriesInOrder(pool.config, table)) return true;
  std::vector<model::IpAddress> wanted = EntriesOf(pool.config);
  std::vector<model::IpAddress> present;
  for (const BackendSlot& slot : table.backends) {
    if (slot.method != EK_METHOD_NONE) present.push_back(slot.address);
  }
  std::sort(wanted.begin(), wanted.end());
  std::sort(present.begin(), present.end());
  return present == wanted;
}

Staging::Staging(dataplane::DataPlane* dataplane, const neighbor::Resolver* resolver,
                 Ledger* ledger, const StagedRules& rules, const guard::Approval& approval,
                 const GenerationRecord* active)
    : dataplane_(dataplane),
      resolver_(resolver),
      ledger_(ledger),
      rules_(rules),
      approval_(approval),
      active_(active) {}

Staging::~Staging() {
  if (committed_) return;
  if (auto status = Undo(); !status.ok()) {
    spdlog::error("publishing was not undone in full: {}", std::string(status.message()));
  }
}

absl::Status Staging::StageTables() {
  const guard::BuiltFleet& fleet = approval_.fleet();
  absl::flat_hash_map<std::string, TableRef> standing;
  if (active_ != nullptr) {
    for (const TableRef& table : active_->tables) standing[table->pool] = table;
  }
  absl::flat_hash_set<std::string> used;
  for (const model::Vip& vip : fleet.vips) used.insert(vip.pool);

  std::vector<Pool*> changed;
  for (const auto& shared : fleet.pools) {
    const guard::BuiltPool& built = *shared;
    if (!used.contains(built.name())) continue;
    Pool& pool = pools_[built.name()];
    pool.built = &built;
    const auto it = standing.find(built.name());
    if (it != standing.end() && SameTable(*it->second, built)) {
      pool.table = it->second;
      continue;
    }
    auto table = ledger_->AddTable(built.name(), built.table->size, built.digest,
                                   built.table->forwarding, EntriesOf(built.config));
    if (!table.ok()) return WithPool(table.status(), built.name());
    fresh_.push_back(*table);
    pool.table = *std::move(table);
    pool.fresh = true;
    if (it != standing.end() && it->second->size == pool.table->size) pool.former = it->second;
    changed.push_back(&pool);
  }
  for (size_t i = 0; i < changed.size(); i += kChunk) {
    auto chunk = std::span(changed).subspan(i, std::min(kChunk, changed.size() - i));
    if (auto status = StageChunk(chunk); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<dataplane::TableImage> Staging::MakeImage(const Pool& pool) const {
  dataplane::TableImage image;
  Serving serving(pool.table->backends.size() + 1, false);
  absl::flat_hash_map<model::IpAddress, uint16_t> ids;
  for (size_t i = 0; i < pool.table->backends.size(); ++i) {
    const BackendSlot& slot = pool.table->backends[i];
    dataplane::BackendImage backend;
    if (slot.method != EK_METHOD_NONE) {
      backend.address = slot.address;
      backend.method = slot.method;
      backend.counter = slot.counter;
      backend.next_hop = ForMethod(resolver_->Get(slot.address), slot.method).next_hop;
      ids[slot.address] = static_cast<uint16_t>(i + 1);
      serving[i + 1] = true;
    }
    image.backends.push_back(backend);
  }
  const guard::BuiltTable& built = *pool.built->table;
  std::vector<uint16_t> id_of_server;
  for (const model::IpAddress& server : built.servers) id_of_server.push_back(ids[server]);
  std::vector<uint16_t> owners;
  owners.reserve(built.owner.size());
  for (const uint16_t owner : built.owner) {
    owners.push_back(owner == maglev::kNoOwner ? uint16_t{0} : id_of_server[owner]);
  }
  std::vector<uint32_t> now;
  if (pool.former != nullptr) {
    auto read = dataplane_->ReadTable(pool.former->id, pool.former->size);
    if (!read.ok()) return read.status();
    now = std::move(read->slots);
  }
  image.slots = NextSlots(now, owners, serving);
  if (built.quic) {
    image.server_ids.config_id = built.quic->config_id;
    image.server_ids.length = built.quic->server_id_length;
  }
  for (const guard::BuiltTable::ServerId& entry : built.server_ids) {
    image.server_ids.entries.push_back({.id = entry.id, .backend = ids[entry.server]});
  }
  return image;
}

absl::Status Staging::StageChunk(std::span<Pool*> pools) {
  std::vector<dataplane::StagedTable> tables;
  for (Pool* pool : pools) {
    auto image = MakeImage(*pool);
    if (!image.ok()) return WithPool(image.status(), pool->built->name());
    if (const uint32_t moving = CountMoving(image->slots); moving > 0) {
      moving_tables_[pool->table->id] = moving;
    }
    tables.push_back({.id = pool->table->id, .image = *std::move(image)});
  }
  // Noted before the call: whatever becomes of it, these ids are to be dropped.
  for (const dataplane::StagedTable& table : tables) in_kernel_.push_back(table.id);
  if (auto status = dataplane_->StageTables(tables); !status.ok()) return status;
  for (size_t i = 0; i < pools.size(); ++i) {
    if (auto status = VerifyTable(*pools[i], tables[i].image); !status.ok()) {
      return WithPool(status, pools[i]->built->name());
    }
    pools[i]->slots = std::move(tables[i].image.slots);
    pools[i]->backends = std::move(tables[i].image.backends);
    for (const dataplane::BackendImage& backend : pools[i]->backends) {
      if (backend.method != EK_METHOD_NONE && !backend.next_hop) {
        unresolved_.push_back(backend.address);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Staging::VerifyTable(const Pool& pool, const dataplane::TableImage& staged) {
  auto read = dataplane_->ReadTable(pool.table->id, pool.table->size);
  if (!read.ok()) return read.status();
  auto table = TableFromKernel(*read, pool.built->table->forwarding);
  if (!table.ok()) return table.status();
  if (const guard::Digest digest = table->ComputeDigest(); digest != pool.built->digest) {
    return absl::DataLossError(absl::StrCat("the table read back has digest ", digest.ToShort(),
                                            ", approved was ", pool.built->digest.ToShort()));
  }
  // The digest does not cover previous owners, draining backends, counters and next hops.
  if (read->slots != staged.slots) {
    return absl::DataLossError("the previous owners read back are not those written");
  }
  if (read->server_ids != staged.server_ids) {
    return absl::DataLossError("the server ids read back are not those written");
  }
  if (read->backends != staged.backends) {
    return absl::DataLossError("the backend entries read back are not those written");
  }
  return absl::OkStatus();
}

absl::Status Staging::StageGeneration(uint32_t index, uint64_t revision) {
  record_.index = index;
  record_.revision = revision;
  record_.digest = approval_.digest();
  record_.fleet = approval_.shared_fleet();
  for (const auto& [name, pool] : pools_) record_.tables.push_back(pool.table);
  dataplane::GenerationImage image;
  for (const model::Vip& vip : record_.fleet->vips) {
    const dataplane::VipKey key{
        .address = vip.address, .port = vip.port, .ip_protocol = guard::IpProtocol(vip.protocol)};
    auto counter = ledger_->AcquireVip(key);
    if (!counter.ok()) return counter.status();
    vip_references_.push_back(key);
    const Pool& pool = pools_.find(vip.pool)->second;
    const TableRecord& table = *pool.table;
    dataplane::VipImage& out = image.vips.emplace_back();
    out = {.key = key, .table = table.id, .table_size = table.size, .counter = *counter};
    out.flags = ToFlags(guard::TreatmentOf(vip, pool.built->config), key.ip_protocol);
    const guard::SourceAccess access = record_.fleet->AccessOf(vip);
    out.global_rules = rules_.IdOf(access.global);
    out.rules = rules_.IdOf(access.own);
    out.source_limit = guard::ToLimit(vip.limits.per_source);
    out.new_flow_limit = guard::ToLimit(vip.limits.new_flows);
    if (out.has_source_checks()) out.flags |= EK_VIP_SOURCE_CHECKS;
    access_[key] = access;
  }
  std::sort(image.vips.begin(), image.vips.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  image.info.revision = revision;
  image.info.published_unix_ns = static_cast<uint64_t>(UnixNanoseconds());
  std::copy(record_.digest.bytes.begin(), record_.digest.bytes.end(), image.info.digest);
  record_.vips = image.vips;
  generation_staged_ = true;
  if (auto status = dataplane_->StageGeneration(index, image); !status.ok()) return status;
  return VerifyGeneration();
}

absl::Status Staging::VerifyGeneration() {
  auto read = dataplane_->ReadGeneration(record_.index);
  if (!read.ok()) return read.status();
  if (read->vips != record_.vips) {
    return absl::DataLossError("the VIPs read back are not those written");
  }
  absl::flat_hash_map<uint32_t, const guard::Digest*> digests;
  for (const TableRef& table : record_.tables) digests[table->id] = &table->digest;
  std::vector<guard::VipBinding> bindings;
  for (const dataplane::VipImage& vip : read->vips) {
    const auto global = rules_.DigestOf(vip.global_rules);
    if (!global.ok()) return global.status();
    const auto own = rules_.DigestOf(vip.rules);
    if (!own.ok()) return own.status();
    bindings.push_back({.address = vip.key.address,
                        .port = vip.key.port,
                        .ip_protocol = vip.key.ip_protocol,
                        .table = *digests.at(vip.table),
                        .global_rules = *global,
                        .rules = *own,
                        .source_limit = vip.source_limit,
                        .new_flow_limit = vip.new_flow_limit,
                        .treatment = FromFlags(vip.flags, vip.key.ip_protocol)});
  }
  if (const guard::Digest digest = guard::ComputeFleetDigest(bindings);
      digest != approval_.digest()) {
    return absl::DataLossError(absl::StrCat("the generation read back has digest ",
                                            digest.ToShort(), ", approved was ",
                                            approval_.digest().ToShort()));
  }
  return absl::OkStatus();
}

GenerationRecord Staging::Commit() {
  committed_ = true;
  return std::move(record_);
}

absl::Status Staging::Undo() {
  committed_ = true;
  absl::Status status;
  if (generation_staged_) status.Update(dataplane_->DropGeneration(record_.index));
  status.Update(dataplane_->DropTables(in_kernel_));
  // What the kernel could not drop keeps its ids: they must not be handed out.
  if (!status.ok()) return status;
  for (const dataplane::VipKey& key : vip_references_) {
    if (const auto id = ledger_->DropVip(key)) ledger_->FreeVipCounter(*id);
  }
  // No packet has counted on these yet: nothing to clear.
  for (const TableRef& table : fresh_) ledger_->FreeBackendCounters(ledger_->RemoveTable(table));
  return absl::OkStatus();
}

}  // namespace evenkeel::publish
