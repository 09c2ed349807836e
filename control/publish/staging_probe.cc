// SPDX-License-Identifier: Apache-2.0
//
// The synthetic packets of a staged generation.
#include <netinet/in.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "control/dataplane/lookups.h"
#include "control/maglev/maglev.h"
#include "control/publish/probe.h"
#include "control/publish/staging.h"

namespace evenkeel::publish {
namespace {

// Packets in all, shared by the changed pools; one takes some 3 us.
constexpr uint32_t kBudget = 1500;
constexpr uint32_t kMostPerPool = 300;
constexpr uint32_t kLeastPerPool = 2;

std::string NameOf(const dataplane::VipKey& key) {
  return absl::StrCat(key.address.ToString(), " port ", key.port, " protocol ", key.ip_protocol);
}

// A packet with a short header (RFC 9000, 17.3) of a connection of that server.
std::vector<uint8_t> QuicPayload(const model::QuicIds& quic, uint64_t server) {
  std::vector<uint8_t> payload = {0x40, static_cast<uint8_t>(quic.config_id << 5)};
  for (int byte = quic.server_id_length - 1; byte >= 0; --byte) {
    payload.push_back(static_cast<uint8_t>(server >> (8 * byte)));
  }
  payload.resize(payload.size() + 24);  // nonce, packet number, tag
  return payload;
}

// `vips` are sorted by key. Null: there is none of that key.
const dataplane::VipImage* FindVip(const std::vector<dataplane::VipImage>& vips,
                                   const dataplane::VipKey& key) {
  const auto it = std::lower_bound(
      vips.begin(), vips.end(), key,
      [](const dataplane::VipImage& a, const dataplane::VipKey& b) { return a.key < b; });
  return it == vips.end() || it->key != key ? nullptr : &*it;
}

}  // namespace

// A destination port for a VIP of every port: one that no other VIP of that address has.
uint16_t Staging::AnyPort(const dataplane::VipKey& vip) const {
  dataplane::VipKey key = vip;
  for (key.port = 443; key.port != 0; ++key.port) {
    const auto it = std::lower_bound(
        record_.vips.begin(), record_.vips.end(), key,
        [](const dataplane::VipImage& a, const dataplane::VipKey& b) { return a.key < b; });
    if (it == record_.vips.end() || it->key != key) break;
  }
  return key.port;
}

// For each VIP a client that may have it; where there is none, or no rules are, any.
std::vector<model::IpAddress> Staging::ClientsOf(
    const std::vector<const dataplane::VipImage*>& vips) const {
  std::vector<model::IpAddress> clients;
  for (const dataplane::VipImage* vip : vips) {
    const guard::SourceAccess& access = access_.at(vip->key);
    const model::IpAddress any = ClientFlow(vip->key, 0, 0).source;
    clients.push_back(!access.any() ? any : FindAdmitted(access, any.family()).value_or(any));
  }
  return clients;
}

absl::Status Staging::Probe(const std::array<uint64_t, 2>& key) {
  std::vector<Pool*> changed;
  const absl::flat_hash_set<uint32_t> treated = TablesWithNewVips();
  for (auto& [name, pool] : pools_) {
    if (pool.fresh || treated.contains(pool.table->id)) changed.push_back(&pool);
  }
  const uint32_t budget =
      std::clamp(kBudget / static_cast<uint32_t>(std::max<size_t>(changed.size(), 1)),
                 kLeastPerPool, kMostPerPool);
  for (Pool* pool : changed) {
    if (auto status = LoadForProbes(*pool); !status.ok()) return status;
    if (auto status = ProbePool(*pool, key, budget); !status.ok()) return status;
    if (auto status = ProbeServerIds(*pool, key, budget); !status.ok()) return status;
  }
  return ProbeSources(key);
}

// Tables with a VIP that is new, or treated in another way than in the generation that runs.
absl::flat_hash_set<uint32_t> Staging::TablesWithNewVips() const {
  absl::flat_hash_set<uint32_t> tables;
  for (const dataplane::VipImage& vip : record_.vips) {
    const dataplane::VipImage* now = active_ == nullptr ? nullptr : FindVip(active_->vips, vip.key);
    const bool same = now != nullptr && now->table == vip.table &&
                      ((now->flags ^ vip.flags) & ~EK_VIP_SOURCE_CHECKS) == 0;
    if (!same) tables.insert(vip.table);
  }
  return tables;
}

// As packets of this moment find it: of a pool that did not change nothing was kept.
absl::Status Staging::LoadForProbes(Pool& pool) {
  if (!pool.slots.empty()) return absl::OkStatus();
  auto image = dataplane_->ReadTable(pool.table->id, pool.table->size);
  if (!image.ok()) return image.status();
  pool.slots = std::move(image->slots);
  pool.backends = std::move(image->backends);
  return absl::OkStatus();
}

// A packet of an open QUIC connection for each server id, as far as the budget goes.
absl::Status Staging::ProbeServerIds(const Pool& pool, const std::array<uint64_t, 2>& key,
                                     uint32_t budget) {
  const guard::BuiltTable& built = *pool.built->table;
  uint32_t number = 0;
  for (const dataplane::VipImage& vip : record_.vips) {
    if (vip.table != pool.table->id || !(vip.flags & EK_VIP_QUIC)) continue;
    for (const guard::BuiltTable::ServerId& entry : built.server_ids) {
      if (number == budget) return absl::OkStatus();
      Flow flow = ClientFlow(vip.key, number++, vip.key.port == 0 ? AnyPort(vip.key) : 0);
      flow.payload = QuicPayload(*built.quic, entry.id);
      const auto it = std::find_if(pool.backends.begin(), pool.backends.end(), [&](const auto& b) {
        return b.method != EK_METHOD_NONE && b.address == entry.server;
      });
      const uint64_t hash = HashFlow(key, flow, vip.flags);
      const auto* backend = it == pool.backends.end() ? nullptr : &*it;
      if (auto status = ProbeFor(pool, vip, flow, hash, backend); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

bool Staging::HasNewRules(const dataplane::VipImage& vip) const {
  const dataplane::VipImage* now = active_ == nullptr ? nullptr : FindVip(active_->vips, vip.key);
  return now == nullptr || now->global_rules != vip.global_rules || now->rules != vip.rules;
}

absl::Status Staging::ProbeSource(const dataplane::VipImage& vip, const model::IpAddress& source,
                                  const std::array<uint64_t, 2>& key) {
  for (auto& [name, pool] : pools_) {
    if (pool.table->id != vip.table) continue;
    if (auto status = LoadForProbes(pool); !status.ok()) return status;
    Flow flow = ClientFlow(vip.key, 0, vip.key.port == 0 ? AnyPort(vip.key) : 0);
    flow.source = source;
    return ProbeOnce(pool, vip, flow, HashFlow(key, flow, vip.flags));
  }
  return absl::InternalError(absl::StrCat("VIP ", NameOf(vip.key), " has no pool"));
}

// For each VIP whose source rules are new: one client that may have it, one that may not.
absl::Status Staging::ProbeSources(const std::array<uint64_t, 2>& key) {
  using Sets = std::tuple<uint16_t, uint16_t, model::Family>;
  using Clients = std::pair<std::optional<model::IpAddress>, std::optional<model::IpAddress>>;
  std::map<Sets, Clients> known;  // looking for a client may mean to walk a million prefixes
  for (const dataplane::VipImage& vip : record_.vips) {
    const guard::SourceAccess& access = access_.at(vip.key);
    if (!access.any() || !HasNewRules(vip)) continue;
    if (probes_ >= 2 * kBudget) break;
    const model::Family family = vip.key.address.family();
    auto [it, fresh] = known.try_emplace({vip.global_rules, vip.rules, family});
    if (fresh) it->second = {FindAdmitted(access, family), FindDenied(access, family)};
    for (const auto& source : {it->second.first, it->second.second}) {
      if (!source) continue;
      if (auto status = ProbeSource(vip, *source, key); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

// Clients are tried until each VIP of the pool was met and each serving backend was hit once, as
// far as the budget goes. Only the packets that hit something new are run.
absl::Status Staging::ProbePool(Pool& pool, const std::array<uint64_t, 2>& key, uint32_t budget) {
  std::vector<const dataplane::VipImage*> vips;
  for (const dataplane::VipImage& vip : record_.vips) {
    if (vip.table == pool.table->id) vips.push_back(&vip);
  }
  const guard::BuiltTable& built = *pool.built->table;
  std::vector<bool> hit(built.servers.size(), false);
  size_t missing = built.servers.size();
  const std::vector<model::IpAddress> clients = ClientsOf(vips);
  uint32_t spent = 0;
  const uint32_t attempts =
      static_cast<uint32_t>(vips.size() + 16 * std::min<size_t>(missing, budget));
  for (uint32_t number = 0; number < attempts && spent < budget; ++number) {
    const dataplane::VipImage& vip = *vips[number % vips.size()];
    Flow flow = ClientFlow(vip.key, number, vip.key.port == 0 ? AnyPort(vip.key) : 0);
    // Its ports still make it another flow.
    if (access_.at(vip.key).Denies(flow.source)) flow.source = clients[number % vips.size()];
    const uint64_t hash = HashFlow(key, flow, vip.flags);
    const uint16_t owner = built.owner[SlotOf(hash, built.size)];
    const bool fresh = owner != maglev::kNoOwner && !hit[owner];
    if (!fresh && number >= vips.size()) continue;
    if (fresh) {
      hit[owner] = true;
      --missing;
    }
    if (auto status = ProbeOnce(pool, vip, flow, hash); !status.ok()) return status;
    ++spent;
    // Of a moving slot that was the previous owner.
    if (EK_SLOT_PREVIOUS(pool.slots[SlotOf(hash, built.size)]) != 0 &&
        vip.key.ip_protocol == IPPROTO_TCP) {
      Flow opening = flow;
      opening.opening = true;
      if (auto status = ProbeOnce(pool, vip, opening, hash); !status.ok()) return status;
      ++spent;
    }
    if (missing == 0 && number + 1 >= vips.size()) break;
  }
  return absl::OkStatus();
}

absl::Status Staging::ProbeOnce(const Pool& pool, const dataplane::VipImage& vip, const Flow& flow,
                                uint64_t hash) {
  const guard::BuiltTable& built = *pool.built->table;
  const uint32_t slot = SlotOf(hash, built.size);
  const uint16_t previous = EK_SLOT_PREVIOUS(pool.slots[slot]);
  const uint16_t owner = built.owner[slot];
  if (previous != 0 && !(vip.flags & EK_VIP_STATELESS)) {
    // Somebody may have the very flow that is made up here. It goes where it is pinned, and says
    // nothing about the table.
    const auto pin = dataplane_->lookups().FindPin(hash);
    if (!pin.ok()) return pin.status();
    if (pin->has_value()) return absl::OkStatus();
  }
  const dataplane::BackendImage* backend = nullptr;
  if (previous != 0 && !flow.opening && !(vip.flags & EK_VIP_STATELESS)) {
    backend = &pool.backends[previous - 1u];
  } else if (owner != maglev::kNoOwner) {
    const auto it = std::find_if(pool.backends.begin(), pool.backends.end(), [&](const auto& b) {
      return b.method != EK_METHOD_NONE && b.address == built.servers[owner];
    });
    if (it != pool.backends.end()) backend = &*it;
  }
  return ProbeFor(pool, vip, flow, hash, backend);
}

absl::Status Staging::ProbeFor(const Pool& pool, const dataplane::VipImage& vip, const Flow& flow,
                               uint64_t hash, const dataplane::BackendImage* backend) {
  auto result = dataplane_->Probe(record_.index, BuildFrame(flow));
  if (!result.ok()) return result.status();
  if (access_.at(vip.key).Denies(flow.source)) backend = nullptr;
  const Expectation expected = Predict(flow, hash, vip.flags, backend, dataplane_->encapsulation());
  if (auto status = Compare(expected, *result); !status.ok()) {
    return absl::InternalError(absl::StrCat("synthetic packet for VIP ", NameOf(vip.key), " (pool ",
                                            pool.built->name(), "): ", status.message()));
  }
  ++probes_;
  return absl::OkStatus();
}

}  // namespace evenkeel::publish
