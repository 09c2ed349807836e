// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/detect_plan.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace evenkeel::daemon {
namespace {

constexpr size_t kPoolsNamed = 3;

double ShareOf(uint32_t slots, uint32_t size) {
  return size == 0 ? 0 : static_cast<double>(slots) / static_cast<double>(size);
}

std::vector<detect::ServerPlan> PlanServers(const guard::BuiltPool& pool) {
  std::map<model::IpAddress, detect::ServerPlan> servers;  // one server may have several names
  for (const model::Backend& backend : pool.config.backends) {
    detect::ServerPlan& server = servers[backend.address];
    server.address = backend.address;
    absl::StrAppend(&server.name, server.name.empty() ? "" : ", ", backend.name);
    server.limit = pool.config.policy.max_share.value_or(0);
  }
  const guard::BuiltTable& table = *pool.table;
  for (size_t i = 0; i < table.servers.size(); ++i) {
    detect::ServerPlan& server = servers[table.servers[i]];
    if (i < table.intended.size()) server.intended = ShareOf(table.intended[i], table.size);
    if (i < pool.slots.size()) server.built = ShareOf(pool.slots[i], table.size);
  }
  std::vector<detect::ServerPlan> plan;
  for (auto& [address, server] : servers) plan.push_back(std::move(server));
  return plan;
}

// How the packets of the pool's VIPs are spread, and what of them is counted.
void PlanSpread(const guard::BuiltFleet& fleet, const guard::BuiltPool& pool,
                detect::PoolPlan* plan) {
  plan->counts_flows = false;
  const bool source = pool.config.affinity == model::Affinity::kSource;
  if (source) plan->spread = detect::Spread::kSource;
  for (const model::Vip& vip : fleet.vips) {
    if (vip.pool != pool.name()) continue;
    plan->counts_flows |= vip.protocol != model::Protocol::kUdp;
    if (!source && vip.spread_by == model::SpreadBy::kDestinationPort) {
      plan->spread = detect::Spread::kPort;
    }
  }
}

std::map<model::IpAddress, double> SharesOf(const guard::BuiltPool* pool) {
  std::map<model::IpAddress, double> shares;
  if (pool == nullptr) return shares;
  for (size_t i = 0; i < pool->table->servers.size(); ++i) {
    shares[pool->table->servers[i]] = ShareOf(pool->slots[i], pool->table->size);
  }
  return shares;
}

std::string NameOf(const guard::BuiltPool& pool, const model::IpAddress& address) {
  for (const model::Backend& backend : pool.config.backends) {
    if (backend.address == address) return backend.name;
  }
  return address.ToString();
}

// "web: 1 server instead of 8, web-1 100.0 % instead of 12.5 %": who gained most.
std::string Summarize(const guard::BuiltPool* before, const guard::BuiltPool& after) {
  const std::map<model::IpAddress, double> was = SharesOf(before), is = SharesOf(&after);
  std::string text = absl::StrCat(after.name(), ": ");
  if (before == nullptr) return absl::StrCat(text, "new, ", is.size(), " servers");
  if (was.size() != is.size()) {
    absl::StrAppend(&text, is.size(), " instead of ", was.size(), " servers, ");
  }
  const model::IpAddress* gained = nullptr;
  double most = 0, from = 0;
  for (const auto& [address, share] : is) {
    const auto found = was.find(address);
    const double former = found == was.end() ? 0 : found->second;
    if (share - former <= most) continue;
    most = share - former;
    from = former;
    gained = &address;
  }
  if (gained == nullptr) return absl::StrCat(text, "shares as before");
  return absl::StrCat(
      text, NameOf(after, *gained),
      absl::StrFormat(" %.1f %% instead of %.1f %%", 100 * (from + most), 100 * from));
}

}  // namespace

std::vector<detect::PoolPlan> PlanDetection(const engine::State& state, uint32_t next,
                                            int64_t now_unix_ns, ShareAges* ages) {
  std::vector<detect::PoolPlan> plans;
  if (state.kernel == nullptr) {
    ages->clear();
    return plans;
  }
  const guard::BuiltFleet& fleet = *state.kernel;
  std::set<std::string> reached;
  for (const model::Vip& vip : fleet.vips) reached.insert(vip.pool);
  std::erase_if(*ages, [&](const auto& age) { return !reached.contains(age.first); });
  for (const auto& pool : fleet.pools) {
    if (!reached.contains(pool->name())) continue;
    ShareAge& age = (*ages)[pool->name()];
    if (age.table != pool->table) {
      age = {.table = pool->table,
             .digest = pool->digest,
             .generation = next,
             .since_unix_ns = now_unix_ns};
    }
    detect::PoolPlan plan{.pool = pool->name(),
                          .revision = state.applied.revision,
                          .generation = age.generation,
                          .since_unix_ns = age.since_unix_ns,
                          .table_size = pool->table->size,
                          .single_backend = pool->config.policy.single_backend.has_value(),
                          .servers = PlanServers(*pool)};
    PlanSpread(fleet, *pool, &plan);
    plans.push_back(std::move(plan));
  }
  return plans;
}

detect::Change DescribeChange(const engine::Applied& applied, uint64_t base,
                              const guard::BuiltFleet* before, const guard::BuiltFleet& after) {
  detect::Change change{.revision = applied.revision,
                        .author = applied.author,
                        .reason = applied.reason,
                        .summary = {},
                        .unix_ns = applied.applied_unix_ns,
                        .pools = {},
                        .undo = {}};
  if (base != 0) change.undo = absl::StrCat("evenkeel rollback ", base);
  if (before == nullptr) return change;
  std::map<std::string_view, const guard::BuiltPool*> were;
  for (const auto& pool : before->pools) were[pool->name()] = pool.get();
  std::vector<std::string> summaries;
  for (const auto& pool : after.pools) {
    const auto found = were.find(pool->name());
    const guard::BuiltPool* const former = found == were.end() ? nullptr : found->second;
    if (former != nullptr && former->table == pool->table && former->config == pool->config) {
      continue;
    }
    change.pools.push_back(pool->name());
    if (summaries.size() < kPoolsNamed) summaries.push_back(Summarize(former, *pool));
  }
  if (change.pools.size() > kPoolsNamed) {
    summaries.push_back(absl::StrCat(change.pools.size() - kPoolsNamed, " more pools"));
  }
  change.summary = absl::StrJoin(summaries, "; ");
  return change;
}

std::vector<detect::PoolReading> ReadPools(const std::vector<detect::PoolPlan>& plan,
                                           const publish::CounterReport& counters,
                                           const publish::TrackingReport& tracking) {
  std::map<std::string_view, std::map<model::IpAddress, const dataplane::Counter*>> by_pool;
  for (const publish::BackendCounters& backend : counters.backends) {
    by_pool[backend.pool][backend.address] = &backend.counter;
  }
  std::map<std::string_view, uint32_t> moving;
  for (const publish::TrackingReport::Pool& pool : tracking.pools) moving[pool.pool] = pool.moving;
  std::vector<detect::PoolReading> readings;
  readings.reserve(plan.size());
  for (const detect::PoolPlan& pool : plan) {
    detect::PoolReading reading{.pool = pool.pool, .generation = pool.generation, .servers = {}};
    if (const auto found = moving.find(pool.pool); found != moving.end()) {
      reading.moving_slots = found->second;
    }
    const auto& backends = by_pool[pool.pool];
    for (const detect::ServerPlan& server : pool.servers) {
      detect::ServerReading row{.address = server.address};
      if (const auto found = backends.find(server.address); found != backends.end()) {
        row.packets = found->second->packets;
        row.bytes = found->second->bytes;
        row.new_flows = found->second->new_flows;
      }
      reading.servers.push_back(row);
    }
    readings.push_back(std::move(reading));
  }
  return readings;
}

}  // namespace evenkeel::daemon
