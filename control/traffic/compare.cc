// SPDX-License-Identifier: Apache-2.0
#include "control/traffic/compare.h"

#include <algorithm>
#include <compare>
#include <map>
#include <string_view>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "control/guard/server_weights.h"
#include "control/guard/treatment.h"
#include "control/publish/treatment_flags.h"
#include "control/traffic/moved.h"
#include "control/traffic/route.h"

namespace evenkeel::traffic {
namespace {

using guard::BuiltFleet;
using guard::BuiltPool;

// What becomes of the packets of a flow that exists; the later one is the worse.
enum class Fate { kSame, kStays, kCut };

bool SameHash(const model::Vip& now_vip, const BuiltPool& now, const model::Vip& then_vip,
              const BuiltPool& then) {
  return guard::SpreadOf(now_vip, now.config) == guard::SpreadOf(then_vip, then.config);
}

bool IsTracked(const Route& route) {
  const uint32_t flags = publish::ToFlags(guard::TreatmentOf(*route.vip, route.pool->config),
                                          guard::IpProtocol(route.vip->protocol));
  return !(flags & EK_VIP_STATELESS);
}

// Whether the flow's slot has its owner of now as the previous one after the change.
bool SlotRemembers(const Route& now, const Route& then) {
  return now.pool->name() == then.pool->name() && now.pool->table->size == then.pool->table->size &&
         SameHash(*now.vip, *now.pool, *then.vip, *then.pool) && IsTracked(then) &&
         now.owner == now.server && Serves(*then.pool, *now.server);
}

Fate FateOf(const Route& now, const std::optional<Route>& then) {
  if (!then || !then->server) return Fate::kCut;
  if (then->server == now.server) return Fate::kSame;
  return !then->by_id && SlotRemembers(now, *then) ? Fate::kStays : Fate::kCut;
}

bool SameVip(const model::Vip& now, const model::Vip* then) {
  if (then == nullptr) return false;
  model::Vip renamed = *then;
  renamed.name = now.name;
  return now == renamed;
}

bool SameRules(const guard::BuiltRules* now, const guard::BuiltRules* then) {
  if (now == nullptr || then == nullptr) return now == then;
  return now->digest == then->digest;
}

bool SameAccess(const guard::SourceAccess& now, const guard::SourceAccess& then) {
  return SameRules(now.global, then.global) && SameRules(now.own, then.own);
}

// The two states, and what they have in common.
class Comparison {
 public:
  Comparison(const BuiltFleet& running, const BuiltFleet& candidate,
             const std::array<uint64_t, 2>& key)
      : running_(running), candidate_(candidate), now_(running, key), then_(candidate, key) {
    for (const auto& pool : candidate.pools) after_.emplace(pool->name(), pool.get());
  }

  std::vector<PoolTraffic> Run(const Observed& observed) const {
    std::map<std::string_view, std::vector<const model::Vip*>> vips;
    for (const model::Vip& vip : running_.vips) vips[vip.pool].push_back(&vip);
    std::vector<PoolTraffic> result;
    std::map<std::string_view, size_t> places;
    for (const auto& pool : running_.pools) {
      const auto its = vips.find(pool->name());
      if (its == vips.end() || !Changes(*pool, its->second)) continue;
      places[pool->name()] = result.size();
      PoolTraffic& out = result.emplace_back();
      out.pool = pool->name();
      if (observed.rates.known()) Estimate(*pool, its->second, observed.rates, &out);
    }
    CountFlows(observed.flows, places, &result);
    return result;
  }

 private:
  const BuiltPool* After(std::string_view name) const {
    const auto found = after_.find(name);
    return found == after_.end() ? nullptr : found->second;
  }

  bool Changes(const BuiltPool& pool, const std::vector<const model::Vip*>& vips) const {
    const BuiltPool* after = After(pool.name());
    if (after == nullptr) return true;
    // States share the pools that do not differ, as objects.
    if (after != &pool && !(after->config == pool.config)) return true;
    return std::any_of(vips.begin(), vips.end(), [&](const model::Vip* vip) {
      const model::Vip* then = then_.Namesake(*vip);
      return !SameVip(*vip, then) ||
             !SameAccess(running_.AccessOf(*vip), candidate_.AccessOf(*then));
    });
  }

  // Where the VIP leads to after the change; a null pool: nowhere.
  struct Destination {
    const BuiltPool* pool = nullptr;
    bool same_hash = false;

    friend auto operator<=>(const Destination&, const Destination&) = default;
  };
  Destination DestinationOf(const BuiltPool& pool, const model::Vip& vip) const {
    const model::Vip* then = then_.Namesake(vip);
    const BuiltPool* after = then == nullptr ? nullptr : After(then->pool);
    return {after, after != nullptr && SameHash(vip, pool, *then, *after)};
  }

  // What part moves of the packets that the pool's backends forward now.
  static double MovedPart(const BuiltPool& pool, const Destination& to, const Rates& rates) {
    const auto found = rates.backends.find(pool.name());
    if (to.pool == nullptr || found == rates.backends.end()) return to.pool == nullptr ? 1 : 0;
    const std::vector<double> parts = MovedParts(*pool.table, *to.pool->table, to.same_hash);
    const std::vector<model::IpAddress>& servers = pool.table->servers;
    double all = 0, moved = 0;
    for (const auto& [address, rate] : found->second) {
      all += rate;
      const auto at = std::lower_bound(servers.begin(), servers.end(), address);
      if (at != servers.end() && *at == address) {
        moved += rate * parts[static_cast<size_t>(at - servers.begin())];
      } else if (!Serves(*to.pool, address)) {
        moved += rate;  // it has no slots, and loses the flows that it kept
      }
    }
    return all > 0 ? moved / all : 0;
  }

  // Counters of backends do not tell the VIPs apart: each is taken to be spread as all are.
  void Estimate(const BuiltPool& pool, const std::vector<const model::Vip*>& vips,
                const Rates& rates, PoolTraffic* out) const {
    std::map<Destination, double> parts;  // a thousand VIPs lead to one place as a rule
    double all = 0, moved = 0;
    for (const model::Vip* vip : vips) {
      const auto rate = rates.vips.find(vip->name);
      if (rate == rates.vips.end() || rate->second <= 0) continue;
      const Destination to = DestinationOf(pool, *vip);
      const auto [part, first] = parts.try_emplace(to, 0);
      if (first) part->second = MovedPart(pool, to, rates);
      all += rate->second;
      moved += rate->second * part->second;
    }
    out->packets_per_s = all;
    out->moved_packets_per_s = moved;
  }

  void CountFlows(const std::vector<publish::Flow>& flows,
                  const std::map<std::string_view, size_t>& places,
                  std::vector<PoolTraffic>* result) const {
    struct Seen {
      PoolTraffic* pool;
      Fate fate;
    };
    using Key = std::tuple<model::IpAddress, model::IpAddress, uint16_t, uint16_t, uint8_t>;
    absl::flat_hash_map<Key, Seen> seen;
    const auto add = [](PoolTraffic* pool, Fate fate, uint64_t Count::*of) {
      ++(pool->sampled.*of);
      if (fate == Fate::kSame) return;
      ++(pool->moved.*of);
      Count& kind = fate == Fate::kStays ? pool->staying : pool->cut;
      ++(kind.*of);
    };
    for (const publish::Flow& flow : flows) {
      const std::optional<Route> now = now_.Find(flow);
      if (!now || !now->server) continue;
      const auto place = places.find(now->pool->name());
      if (place == places.end()) continue;
      PoolTraffic* pool = &(*result)[place->second];
      const Fate fate = FateOf(*now, then_.Find(flow));
      add(pool, fate, &Count::packets);
      const Key key(flow.source, flow.destination, flow.source_port, flow.destination_port,
                    flow.ip_protocol);
      // Of a QUIC connection the packets with its server's id decide.
      const auto [found, first] = seen.try_emplace(key, Seen{pool, fate});
      if (!first) found->second.fate = std::min(found->second.fate, fate);
    }
    for (const auto& [key, flow] : seen) add(flow.pool, flow.fate, &Count::flows);
  }

  const BuiltFleet& running_;
  const BuiltFleet& candidate_;
  const Router now_, then_;
  absl::flat_hash_map<std::string_view, const BuiltPool*> after_;
};

}  // namespace

std::vector<PoolTraffic> CompareTraffic(const BuiltFleet& running, const BuiltFleet& candidate,
                                        const std::array<uint64_t, 2>& key,
                                        const Observed& observed) {
  return Comparison(running, candidate, key).Run(observed);
}

}  // namespace evenkeel::traffic
