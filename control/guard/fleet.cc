// SPDX-License-Identifier: Apache-2.0
#include "control/guard/fleet.h"

#include <netinet/in.h>

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "control/guard/replace_pools.h"
#include "control/guard/server_weights.h"
#include "control/model/yaml.h"

namespace evenkeel::guard {
namespace {

// Sorts as IpAddress does.
std::string MemberId(const model::IpAddress& address) {
  std::string id(1, static_cast<char>(address.family()));
  id.append(reinterpret_cast<const char*>(address.bytes().data()), address.bytes().size());
  return id;
}

void AddServerIds(const model::Pool& pool, BuiltTable& table) {
  if (!pool.quic) return;
  table.quic = pool.quic;
  for (const model::Backend& backend : pool.backends) {
    if (backend.state == model::AdminState::kDisabled) continue;
    const auto id = model::ParseServerId(backend.server_id, pool.quic->server_id_length);
    if (id) table.server_ids.push_back({.id = *id, .server = backend.address});
  }
  std::sort(table.server_ids.begin(), table.server_ids.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
}

absl::StatusOr<std::shared_ptr<const BuiltTable>> BuildTable(const model::Pool& pool,
                                                             const maglev::HashKey& key) {
  auto table = std::make_shared<BuiltTable>();
  table->forwarding = pool.forwarding;
  table->size = pool.table_size;
  AddServerIds(pool, *table);
  const auto weights = ServingWeights(pool);
  for (const auto& [address, weight] : weights) table->servers.push_back(address);
  const std::vector<maglev::Member> members = ToMembers(weights);
  if (members.size() > table->size || members.size() >= maglev::kNoOwner) {
    // Cannot be built, and so never approved (LB002, LB017); the guard reports it together with
    // everything else that is wrong.
    table->owner.assign(table->size, maglev::kNoOwner);
    table->intended.assign(members.size(), 0);
    return table;
  }
  absl::StatusOr<maglev::Table> built = maglev::Build(members, table->size, key);
  if (!built.ok()) {
    return absl::Status(built.status().code(),
                        absl::StrCat("pool \"", pool.name, "\": ", built.status().message()));
  }
  table->owner = std::move(built->owner);
  table->intended = std::move(built->quota);
  return table;
}

// What a pool's table depends on, apart from the key.
bool SameTable(const model::Pool& a, const model::Pool& b) {
  if (a.forwarding != b.forwarding || a.table_size != b.table_size || a.quic != b.quic)
    return false;
  if (a.backends == b.backends) return true;
  return !a.quic && ServingWeights(a) == ServingWeights(b);
}

using PoolRef = std::shared_ptr<const BuiltPool>;
using RulesRef = std::shared_ptr<const BuiltRules>;

// `old` is the pool's namesake, or null.
absl::StatusOr<PoolRef> BuildPool(const model::Pool& pool, const maglev::HashKey& key,
                                  const PoolRef& old) {
  if (old != nullptr && old->config == pool) return old;
  if (old != nullptr && SameTable(pool, old->config)) {
    return std::make_shared<BuiltPool>(BuiltPool{pool, old->table, old->digest, old->slots});
  }
  absl::StatusOr<std::shared_ptr<const BuiltTable>> table = BuildTable(pool, key);
  if (!table.ok()) return table.status();
  return std::make_shared<BuiltPool>(
      BuiltPool{pool, *table, (*table)->ComputeDigest(), (*table)->CountSlots()});
}

Digest DigestOf(const BuiltFleet& fleet) {
  std::unordered_map<std::string_view, const BuiltPool*> pools;
  for (const PoolRef& pool : fleet.pools) pools[pool->name()] = pool.get();
  std::vector<VipBinding> bindings;
  for (const model::Vip& vip : fleet.vips) {
    const SourceAccess access = fleet.AccessOf(vip);
    const BuiltPool& pool = *pools.at(vip.pool);
    VipBinding binding{.address = vip.address,
                       .port = vip.port,
                       .ip_protocol = IpProtocol(vip.protocol),
                       .table = pool.digest,
                       .source_limit = ToLimit(vip.limits.per_source),
                       .new_flow_limit = ToLimit(vip.limits.new_flows),
                       .treatment = TreatmentOf(vip, pool.config)};
    if (access.global != nullptr) binding.global_rules = access.global->digest;
    if (access.own != nullptr) binding.rules = access.own->digest;
    bindings.push_back(binding);
  }
  return ComputeFleetDigest(bindings);
}

absl::Status ToStatus(const std::vector<model::Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(diagnostics.front().ToString());
}

}  // namespace

uint8_t IpProtocol(model::Protocol protocol) {
  return protocol == model::Protocol::kTcp ? IPPROTO_TCP : IPPROTO_UDP;
}

std::map<model::IpAddress, uint64_t> ServingWeights(const model::Pool& pool) {
  std::map<model::IpAddress, uint64_t> weights;
  for (const model::Backend& backend : pool.backends) {
    if (!backend.serving()) continue;
    uint64_t& sum = weights[backend.address];
    const uint64_t weight = static_cast<uint64_t>(backend.weight);
    const uint64_t room = std::numeric_limits<uint64_t>::max() - sum;
    sum += std::min(weight, room);
  }
  return weights;
}

std::vector<maglev::Member> ToMembers(const std::map<model::IpAddress, uint64_t>& weights) {
  std::vector<maglev::Member> members;
  members.reserve(weights.size());
  for (const auto& [address, weight] : weights) members.push_back({MemberId(address), weight});
  return members;
}

std::vector<uint32_t> BuiltTable::CountSlots() const {
  std::vector<uint32_t> slots(servers.size(), 0);
  for (uint16_t o : owner) {
    if (o < slots.size()) ++slots[o];
  }
  return slots;
}

const BuiltPool* BuiltFleet::FindPool(std::string_view name) const {
  for (const PoolRef& pool : pools) {
    if (pool->name() == name) return pool.get();
  }
  return nullptr;
}

const model::Vip* BuiltFleet::FindVip(std::string_view name) const {
  for (const model::Vip& vip : vips) {
    if (vip.name == name) return &vip;
  }
  return nullptr;
}

const BuiltRules* BuiltFleet::FindRules(std::string_view name) const {
  for (const RulesRef& rules : source_rules) {
    if (rules->name() == name) return rules.get();
  }
  return nullptr;
}

SourceAccess BuiltFleet::AccessOf(const model::Vip& vip) const {
  return {FindRules(global_source_rules), FindRules(vip.source_rules)};
}

bool BuiltFleet::HasConfigOf(const BuiltFleet& other) const {
  const auto same = [](const auto& a, const auto& b) { return a == b || a->config == b->config; };
  return vips == other.vips && global_source_rules == other.global_source_rules &&
         policy == other.policy &&
         std::equal(source_rules.begin(), source_rules.end(), other.source_rules.begin(),
                    other.source_rules.end(), same) &&
         std::equal(pools.begin(), pools.end(), other.pools.begin(), other.pools.end(), same);
}

model::Config BuiltFleet::ToConfig() const {
  model::Config config;
  config.vips = vips;
  config.pools.reserve(pools.size());
  for (const PoolRef& pool : pools) config.pools.push_back(pool->config);
  for (const RulesRef& rules : source_rules) config.source_rules.push_back(rules->config);
  config.global_source_rules = global_source_rules;
  config.policy = policy;
  return config;
}

absl::StatusOr<std::shared_ptr<const BuiltFleet>> BuildFleet(const model::Config& config,
                                                             const maglev::HashKey& key,
                                                             const BuiltFleet* reuse) {
  if (auto status = ToStatus(model::Validate(config)); !status.ok()) return status;
  std::unordered_map<std::string_view, PoolRef> old;
  if (reuse != nullptr && reuse->key == key) {
    for (const PoolRef& pool : reuse->pools) old.emplace(pool->name(), pool);
  }
  std::unordered_map<std::string_view, RulesRef> old_rules;
  if (reuse != nullptr) {
    for (const RulesRef& rules : reuse->source_rules) old_rules.emplace(rules->name(), rules);
  }
  auto fleet = std::make_shared<BuiltFleet>();
  fleet->vips = config.vips;
  fleet->key = key;
  for (const model::Pool& pool : config.pools) {
    const auto it = old.find(pool.name);
    auto built = BuildPool(pool, key, it == old.end() ? nullptr : it->second);
    if (!built.ok()) return built.status();
    fleet->pools.push_back(*std::move(built));
  }
  fleet->global_source_rules = config.global_source_rules;
  fleet->policy = config.policy;
  for (const model::SourceRules& rules : config.source_rules) {
    const auto it = old_rules.find(rules.name);
    const bool same = it != old_rules.end() && it->second->config == rules;
    fleet->source_rules.push_back(same ? it->second : BuildRules(rules));
  }
  fleet->digest = DigestOf(*fleet);
  return fleet;
}

absl::StatusOr<std::shared_ptr<const BuiltFleet>> ReplacePool(const BuiltFleet& fleet,
                                                              const model::Pool& pool,
                                                              const BuiltFleet* like) {
  return ReplacePools(fleet, {pool}, like);
}

absl::StatusOr<std::shared_ptr<const BuiltFleet>> ReplacePools(
    const BuiltFleet& fleet, const std::vector<model::Pool>& pools, const BuiltFleet* like) {
  auto next = std::make_shared<BuiltFleet>(fleet);
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < fleet.pools.size(); ++i) places.emplace(fleet.pools[i]->name(), i);
  std::unordered_map<std::string_view, PoolRef> namesakes;
  if (like != nullptr && like->key == fleet.key) {
    for (const PoolRef& pool : like->pools) namesakes.emplace(pool->name(), pool);
  }
  for (const model::Pool& pool : pools) {
    const auto place = places.try_emplace(pool.name, next->pools.size()).first->second;
    if (auto status = ToStatus(model::ValidatePool(pool, place)); !status.ok()) return status;
    const bool is_new = place == next->pools.size();
    PoolRef reuse = is_new ? nullptr : next->pools[place];
    if (const auto namesake = namesakes.find(pool.name); namesake != namesakes.end()) {
      reuse = namesake->second;
    }
    auto built = BuildPool(pool, fleet.key, reuse);
    if (!built.ok()) return built.status();
    if (is_new) next->pools.emplace_back();
    next->pools[place] = *std::move(built);
  }
  next->digest = DigestOf(*next);
  return next;
}

}  // namespace evenkeel::guard
