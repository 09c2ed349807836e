// SPDX-License-Identifier: Apache-2.0
//
// Taking over what an earlier daemon left in the kernel.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "control/guard/server_weights.h"
#include "control/publish/moves.h"
#include "control/publish/publisher_impl.h"
#include "control/publish/readback.h"
#include "control/publish/treatment_flags.h"

namespace evenkeel::publish {
namespace {

using Fleet = std::shared_ptr<const guard::BuiltFleet>;

// The kernel does not know names of pools: a table is the pool's whose VIP leads to it. A table
// that the intent does not explain gets a name that no pool can have.
std::map<uint32_t, std::string> NameTables(const std::vector<dataplane::VipImage>& vips,
                                           const guard::BuiltFleet* intent) {
  std::map<dataplane::VipKey, std::string> pool_of;
  if (intent != nullptr) {
    for (const model::Vip& vip : intent->vips) {
      pool_of[{.address = vip.address,
               .port = vip.port,
               .ip_protocol = guard::IpProtocol(vip.protocol)}] = vip.pool;
    }
  }
  std::map<uint32_t, std::string> names;
  std::set<std::string> given;
  for (const dataplane::VipImage& vip : vips) {
    if (names.contains(vip.table)) continue;
    const auto it = pool_of.find(vip.key);
    const bool known = it != pool_of.end() && given.insert(it->second).second;
    names[vip.table] = known ? it->second : absl::StrCat("?", vip.table);
  }
  return names;
}

TableRecord MakeRecord(uint32_t id, uint32_t size, std::string pool,
                       const dataplane::TableImage& image) {
  TableRecord record;
  record.id = id;
  record.size = size;
  record.pool = std::move(pool);
  for (const dataplane::BackendImage& backend : image.backends) {
    record.backends.push_back(
        {.address = backend.address, .method = backend.method, .counter = backend.counter});
  }
  // A table that cannot be read as one keeps the zero digest, which nothing approved has.
  if (auto table = TableFromKernel(image, model::Forwarding::kIpip); table.ok()) {
    record.forwarding = table->forwarding;
    record.digest = table->ComputeDigest();
  }
  return record;
}

guard::Digest DigestOf(const GenerationRecord& record,
                       absl::flat_hash_map<uint32_t, guard::Digest>& rules) {
  std::map<uint32_t, guard::Digest> digests;
  for (const TableRef& table : record.tables) digests[table->id] = table->digest;
  std::vector<guard::VipBinding> bindings;
  for (const dataplane::VipImage& vip : record.vips) {
    bindings.push_back({.address = vip.key.address,
                        .port = vip.key.port,
                        .ip_protocol = vip.key.ip_protocol,
                        .table = digests[vip.table],
                        .global_rules = rules[vip.global_rules],
                        .rules = rules[vip.rules],
                        .source_limit = vip.source_limit,
                        .new_flow_limit = vip.new_flow_limit,
                        .treatment = FromFlags(vip.flags, vip.key.ip_protocol)});
  }
  return guard::ComputeFleetDigest(bindings);
}

// The digest does not cover the entries of draining backends, which serve former flows.
bool Matches(const GenerationRecord& record, const guard::BuiltFleet& intent) {
  return record.digest == intent.digest &&
         std::all_of(record.tables.begin(), record.tables.end(), [&](const TableRef& table) {
           const guard::BuiltPool* pool = intent.FindPool(table->pool);
           return pool != nullptr && SameTable(*table, *pool);
         });
}

std::string DescribeDifference(const GenerationRecord& record, const guard::BuiltFleet* intent) {
  if (intent == nullptr) return ", but no applied state is known";
  if (record.digest == intent->digest)
    return ", has other draining backends than the applied state";
  return absl::StrCat(", differs from the applied state (", intent->digest.ToShort(), ")");
}

// Of a set that cannot be read: its own, and nothing approved has it.
guard::Digest UnreadableDigest(uint32_t id) {
  guard::Digest digest;
  digest.bytes.fill(0xff);
  digest.bytes[0] = static_cast<uint8_t>(id);
  digest.bytes[1] = static_cast<uint8_t>(id >> 8);
  return digest;
}

}  // namespace

// The sets that `record`'s VIPs have, with their digests by id.
absl::Status Publisher::Impl::AdoptRules(GenerationRecord& record,
                                         absl::flat_hash_map<uint32_t, guard::Digest>& digests) {
  digests[0] = {};
  for (const dataplane::VipImage& vip : record.vips) {
    for (const uint32_t id : {vip.global_rules, vip.rules}) {
      if (digests.contains(id)) continue;
      const auto read = dataplane->RulesDigest(id);
      if (!read.ok()) {
        spdlog::error("source rules {} in the kernel: {}", id,
                      std::string(read.status().message()));
      }
      const guard::Digest digest = read.ok() ? *read : UnreadableDigest(id);
      if (auto status = ledger.AdoptRules(digest, id); !status.ok()) return status;
      digests[id] = digest;
      record.rules.push_back(digest);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<AdoptReport> Publisher::Impl::AdoptActive(const dataplane::Snapshot& snapshot,
                                                         const Fleet& intent) {
  GenerationRecord record;
  record.index = snapshot.generation;
  record.revision = snapshot.image.info.revision;
  record.vips = snapshot.image.vips;
  const auto names = NameTables(record.vips, intent.get());
  std::set<uint32_t> seen;
  for (const dataplane::VipImage& vip : record.vips) {
    if (auto s = ledger.AdoptVip(vip.key, vip.counter); !s.ok()) return s;
    if (!seen.insert(vip.table).second) continue;
    auto image = dataplane->ReadTable(vip.table, vip.table_size);
    if (!image.ok()) return image.status();
    auto table =
        ledger.AdoptTable(MakeRecord(vip.table, vip.table_size, names.at(vip.table), *image));
    if (!table.ok()) return table.status();
    record.tables.push_back(*std::move(table));
    table_users[vip.table] = 1;
    if (const uint32_t moving = CountMoving(image->slots); moving > 0) {
      moving_tables[vip.table] = moving;
    }
    for (const dataplane::BackendImage& backend : image->backends) {
      if (backend.method != EK_METHOD_NONE && !backend.next_hop) unresolved.insert(backend.address);
    }
  }
  absl::flat_hash_map<uint32_t, guard::Digest> rules;
  if (auto status = AdoptRules(record, rules); !status.ok()) return status;
  record.digest = DigestOf(record, rules);
  AdoptReport report;
  report.revision = record.revision;
  report.kernel_digest = record.digest;
  report.message = absl::StrCat("kernel forwards with revision ", record.revision, " (digest ",
                                record.digest.ToShort(), ")");
  if (intent && Matches(record, *intent)) {
    report.state = AdoptReport::State::kMatches;
    record.fleet = intent;
    absl::StrAppend(&report.message, ", matches the applied state");
  } else {
    report.state = AdoptReport::State::kDiffers;
    absl::StrAppend(&report.message, DescribeDifference(record, intent.get()));
  }
  last_index = record.index;
  index_used[record.index] = true;
  active = std::move(record);
  return report;
}

// What a daemon left that ended between staging and releasing.
absl::Status Publisher::Impl::DropOrphans() {
  for (uint32_t index = 0; index < EK_MAX_GENERATIONS; ++index) {
    if (index_used[index]) continue;
    if (auto status = dataplane->DropGeneration(index); !status.ok()) return status;
  }
  auto tables = dataplane->ListTables();
  if (!tables.ok()) return tables.status();
  std::erase_if(*tables, [&](uint32_t id) { return ledger.TableUsed(id); });
  if (auto status = dataplane->DropTables(*tables); !status.ok()) return status;
  auto rules = dataplane->ListRules();
  if (!rules.ok()) return rules.status();
  std::erase_if(*rules, [&](uint32_t id) { return id != 0 && ledger.RulesUsed(id); });
  if (auto status = dataplane->DropRules(*rules); !status.ok()) return status;

  auto counters = dataplane->ReadCounters();
  if (!counters.ok()) return counters.status();
  auto dirty = [](const dataplane::Counter& c) {
    return c.packets != 0 || c.bytes != 0 || c.new_flows != 0 || c.drops != 0;
  };
  for (uint32_t id = 0; id < counters->vips.size(); ++id) {
    if (ledger.VipCounterUsed(id) || !dirty(counters->vips[id])) continue;
    if (auto status = dataplane->ClearVipCounter(id); !status.ok()) return status;
  }
  for (uint32_t id = 0; id < counters->backends.size(); ++id) {
    if (ledger.BackendCounterUsed(id) || !dirty(counters->backends[id])) continue;
    if (auto status = dataplane->ClearBackendCounter(id); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<AdoptReport> Publisher::Impl::Adopt(const Fleet& intent) {
  std::lock_guard serial(publish_mu);
  AdoptReport report;
  {
    std::lock_guard lock(mu);
    if (adopted) return absl::FailedPreconditionError("adopted already");
    auto snapshot = dataplane->ReadActive();
    if (!snapshot.ok()) return snapshot.status();
    if (snapshot->published) {
      auto found = AdoptActive(*snapshot, intent);
      if (!found.ok()) return found.status();
      report = *std::move(found);
    } else {
      report.message = "kernel forwards nothing yet";
    }
    // The former daemon may have ended right after a swap.
    if (auto status = dataplane->WaitGracePeriod(); !status.ok()) return status;
    if (auto status = DropOrphans(); !status.ok()) return status;
    adopted = true;
  }
  for (const model::IpAddress& address : ledger.Addresses()) followed.insert(address);
  if (followed.empty()) return report;
  if (auto status = resolver->Follow({followed.begin(), followed.end()}); !status.ok()) {
    return status;
  }
  // Entries keep the next hop that they have until the resolver knows better.
  std::lock_guard lock(mu);
  for (const model::IpAddress& address : followed) {
    const neighbor::Resolution resolution = resolver->Get(address);
    if (!resolution.next_hop) continue;
    if (auto status = ApplyNextHop(resolution); !status.ok()) return status;
  }
  return report;
}

}  // namespace evenkeel::publish
