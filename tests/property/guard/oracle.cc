// SPDX-License-Identifier: Apache-2.0
#include "oracle.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace evenkeel::guard::testing {
namespace {

using Shares = std::map<model::IpAddress, double>;

Shares CountShares(const BuiltTable& table) {
  Shares shares;
  for (uint16_t owner : table.owner) {
    if (owner != maglev::kNoOwner) shares[table.servers.at(owner)] += 1.0 / table.size;
  }
  return shares;
}

const model::IpAddress* OwnerOf(const BuiltTable& table, size_t slot) {
  const uint16_t owner = table.owner[slot];
  return owner == maglev::kNoOwner ? nullptr : &table.servers[owner];
}

double Moved(const BuiltTable& a, const BuiltTable& b) {
  if (a.size != b.size) return 1;
  double moved = 0;
  for (size_t slot = 0; slot < a.owner.size(); ++slot) {
    const auto *x = OwnerOf(a, slot), *y = OwnerOf(b, slot);
    if ((x == nullptr) != (y == nullptr) || (x != nullptr && *x != *y)) moved += 1.0 / a.size;
  }
  return moved;
}

// One server stopped serving by its state or weight, nothing else about serving changed, and all
// traffic does not end up on one server unless that is declared.
bool IsDrain(const model::Pool& before, const model::Pool& after) {
  if (before.table_size != after.table_size) return false;
  std::map<model::IpAddress, int64_t> was, is;
  std::set<model::IpAddress> listed;
  for (const auto& b : before.backends) {
    if (b.serving()) was[b.address] += b.weight;
  }
  for (const auto& b : after.backends) {
    listed.insert(b.address);
    if (b.serving()) is[b.address] += b.weight;
  }
  const size_t least = after.policy.single_backend ? 1 : 2;
  if (is.size() < least || was.size() != is.size() + 1) return false;
  for (const auto& [address, weight] : was) {
    if (!is.contains(address) && listed.contains(address)) {
      auto rest = was;
      rest.erase(address);
      return rest == is;
    }
  }
  return false;
}

std::string FaultOfPool(const model::Pool& pool, const BuiltTable& table) {
  const Shares shares = CountShares(table);
  std::set<model::IpAddress> addresses;
  for (const auto& b : pool.backends) {
    if (!addresses.insert(b.address).second) return "a server is listed twice";
    if (b.weight < 0 || b.weight > 1000) return "a weight is out of range";
  }
  if (table.size < 100 * pool.backends.size()) return "the table is too small";
  if (shares.empty()) return "nobody serves";
  const bool single = pool.policy.single_backend.has_value();
  if (shares.size() < 2 && !single) return "one server has everything";
  if (!single && shares.size() < pool.policy.min_serving_backends.value_or(2))
    return "too few serve";
  double top = 0;
  for (const auto& [address, share] : shares) top = std::max(top, share);
  const double most = shares.size() >= 3 ? 0.5 : 0.8;
  if (!single && top > std::min(most, pool.policy.max_share.value_or(1)) + 1.01 / table.size) {
    return "one server has too much";
  }
  return "";
}

std::string FaultOfChange(const BuiltTable& a, const model::Pool& after, const BuiltTable& b) {
  const Shares was = CountShares(a), is = CountShares(b);
  double gone = 0;
  int count = 0;
  for (const auto& [address, share] : was) {
    if (!is.contains(address)) gone += share, ++count;
  }
  // Shares are whole slots, the rule counts weights.
  if (count > 1 && gone > 0.25 + 0.01) return "too much was removed at once";
  if (after.policy.single_backend && was.size() <= 2) return "";
  const double limit = std::min(0.30, after.policy.max_remapped_fraction.value_or(1));
  if (Moved(a, b) > limit + 1e-9) return "too many slots moved";
  return "";
}

}  // namespace

std::string FindFault(const BuiltFleet* before, const BuiltFleet& after) {
  for (const auto& built : after.pools) {
    const model::Pool& pool = built->config;
    const BuiltPool* old = before == nullptr ? nullptr : before->FindPool(pool.name);
    // The three things that the guard must never block, and so that an oracle must allow.
    const bool drain = old != nullptr && IsDrain(old->config, pool);
    const bool was_bad = old != nullptr && !FaultOfPool(old->config, *old->table).empty();
    if (drain || was_bad) continue;
    if (std::string fault = FaultOfPool(pool, *built->table); !fault.empty()) {
      return pool.name + ": " + fault;
    }
  }
  if (before == nullptr) return "";
  std::set<model::IpAddress> kept;
  for (const model::Vip& vip : after.vips) kept.insert(vip.address);
  if (!before->vips.empty() && kept.empty()) return "every VIP is gone";
  for (const model::Vip& vip : after.vips) {
    const model::Vip* was = before->FindVip(vip.name);
    if (was == nullptr) continue;
    const BuiltPool &a = *before->FindPool(was->pool), &b = *after.FindPool(vip.pool);
    const bool drain = a.name() == b.name() && IsDrain(a.config, b.config);
    if (drain || !FaultOfPool(a.config, *a.table).empty()) continue;
    const std::string fault = FaultOfChange(*a.table, b.config, *b.table);
    if (!fault.empty()) return vip.name + ": " + fault;
  }
  return "";
}

}  // namespace evenkeel::guard::testing
