// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/route.h"

#include <algorithm>
#include <string_view>

#include "bpf/abi/maps.h"
#include "bpf/lib/quic.h"
#include "control/guard/server_weights.h"
#include "control/guard/treatment.h"
#include "control/publish/treatment_flags.h"

namespace evenkeel::traffic {
namespace {

dataplane::VipKey KeyOf(const model::Vip& vip) {
  return {.address = vip.address, .port = vip.port, .ip_protocol = guard::IpProtocol(vip.protocol)};
}

// Whom the connection id of a QUIC packet names.
std::optional<model::IpAddress> NamedServer(const guard::BuiltTable& table,
                                            const publish::Flow& flow) {
  if (!table.quic || flow.payload.empty()) return std::nullopt;
  const uint8_t* end = flow.payload.data() + flow.payload.size();
  const ek_quic quic = ek_classify_quic(flow.payload.data(), end);
  __u64 id = 0;
  if (!ek_quic_server(&quic, end, table.quic->config_id, table.quic->server_id_length, &id)) {
    return std::nullopt;
  }
  const auto found = std::find_if(table.server_ids.begin(), table.server_ids.end(),
                                  [id](const auto& entry) { return entry.id == id; });
  if (found == table.server_ids.end()) return std::nullopt;
  return found->server;
}

}  // namespace

Router::Router(const guard::BuiltFleet& fleet, const std::array<uint64_t, 2>& key)
    : fleet_(fleet), key_(key) {
  absl::flat_hash_map<std::string_view, const guard::BuiltPool*> pools;
  for (const auto& pool : fleet.pools) pools.emplace(pool->name(), pool.get());
  for (const model::Vip& vip : fleet.vips) {
    const auto pool = pools.find(vip.pool);
    if (pool != pools.end()) targets_.emplace(KeyOf(vip), Target{&vip, pool->second});
  }
}

const model::Vip* Router::Namesake(const model::Vip& vip) const {
  const auto found = targets_.find(KeyOf(vip));
  return found == targets_.end() ? nullptr : found->second.vip;
}

const Router::Target* Router::FindTarget(const publish::Flow& flow) const {
  for (const uint16_t port : {flow.destination_port, uint16_t{0}}) {
    const auto found = targets_.find(dataplane::VipKey{
        .address = flow.destination, .port = port, .ip_protocol = flow.ip_protocol});
    if (found != targets_.end()) return &found->second;
  }
  return nullptr;
}

std::optional<uint64_t> Router::Hash(const publish::Flow& flow) const {
  const Target* target = FindTarget(flow);
  if (target == nullptr) return std::nullopt;
  return publish::HashFlow(
      key_, flow,
      publish::ToFlags(guard::TreatmentOf(*target->vip, target->pool->config), flow.ip_protocol));
}

std::optional<Route> Router::Find(const publish::Flow& flow) const {
  const Target* target = FindTarget(flow);
  if (target == nullptr || fleet_.AccessOf(*target->vip).Denies(flow.source)) return std::nullopt;
  Route route;
  route.vip = target->vip;
  route.pool = target->pool;
  const guard::BuiltTable& table = *route.pool->table;
  if (table.owner.empty()) return route;
  const uint32_t flags =
      publish::ToFlags(guard::TreatmentOf(*route.vip, route.pool->config), flow.ip_protocol);
  const uint32_t slot = publish::SlotOf(publish::HashFlow(key_, flow, flags), table.size);
  const uint16_t owner = table.owner[slot];
  if (owner != maglev::kNoOwner) route.owner = table.servers[owner];
  route.server = route.owner;
  if (!(flags & EK_VIP_QUIC)) return route;
  if (const auto named = NamedServer(table, flow)) {
    route.server = named;
    route.by_id = true;
  }
  return route;
}

bool Serves(const guard::BuiltPool& pool, const model::IpAddress& server) {
  return std::any_of(
      pool.config.backends.begin(), pool.config.backends.end(), [&](const model::Backend& backend) {
        return backend.address == server && backend.state != model::AdminState::kDisabled;
      });
}

}  // namespace evenkeel::traffic
