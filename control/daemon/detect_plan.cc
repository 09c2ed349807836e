// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/detect_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "control/guard/policy.h"

namespace evenkeel::daemon {
namespace {

constexpr size_t kPoolsNamed = 3;

double ShareOf(uint32_t slots, uint32_t size) {
  return size == 0 ? 0 : static_cast<double>(slots) / static_cast<double>(size);
}

// The part that each server could take, where every backend that serves declares its capacity.
std::map<model::IpAddress, double> CapacitiesOf(const guard::BuiltPool& pool) {
  std::map<model::IpAddress, double> parts;
  double total = 0;
  for (size_t i = 0; i < pool.table->servers.size(); ++i) {
    if (pool.slots[i] == 0) continue;
    const model::IpAddress& address = pool.table->servers[i];
    const auto backend =
        std::find_if(pool.config.backends.begin(), pool.config.backends.end(),
                     [&](const model::Backend& b) { return b.address == address; });
    if (backend == pool.config.backends.end() || !backend->capacity) return {};
    total += parts[address] = *backend->capacity;
  }
  for (auto& [address, part] : parts) part /= total;
  return parts;
}

// As LB001, by the policy in force; 0 where that is the detector's own limit.
void PlanLimits(const guard::BuiltPool& pool, const model::Policy& policy,
                std::vector<detect::ServerPlan>* servers) {
  const auto serving = static_cast<size_t>(std::count_if(pool.slots.begin(), pool.slots.end(),
                                                         [](uint32_t slots) { return slots > 0; }));
  if (serving == 0 || (serving == 1 && (policy.single_backend || !policy.max_share))) return;
  const double most = guard::MaxShare(policy, serving);
  const double factor = guard::LimitOf(guard::kShareFactor, policy);
  const std::map<model::IpAddress, double> capacities = CapacitiesOf(pool);
  for (detect::ServerPlan& server : *servers) {
    server.limit = most;
    const auto part = capacities.find(server.address);
    if (part != capacities.end()) server.limit = std::min(most, factor * part->second);
  }
}

std::vector<detect::ServerPlan> PlanServers(const guard::BuiltPool& pool,
                                            const model::Policy& policy) {
  std::map<model::IpAddress, detect::ServerPlan> servers;  // one server may have several names
  for (const model::Backend& backend : pool.config.backends) {
    detect::ServerPlan& server = servers[backend.address];
    server.address = backend.address;
    absl::StrAppend(&server.name, server.name.empty() ? "" : ", ", backend.name);
  }
  const guard::BuiltTable& table = *pool.table;
  for (size_t i = 0; i < table.servers.size(); ++i) {
    detect::ServerPlan& server = servers[table.servers[i]];
    if (i < table.intended.size()) server.intended = ShareOf(table.intended[i], table.size);
    if (i < pool.slots.size()) server.built = ShareOf(pool.slots[i], table.size);
  }
  std::vector<detect::ServerPlan> plan;
  for (auto& [address, server] : servers) plan.push_back(std::move(server));
  PlanLimits(pool, policy, &plan);
  return plan;
}

// How the packets of a pool's VIPs are spread, and what of them is counted.
struct Reach {
  bool counts_flows = false, by_port = false;
};

std::map<std::string_view, Reach> ReachedBy(const std::vector<model::Vip>& vips) {
  std::map<std::string_view, Reach> reached;
  for (const model::Vip& vip : vips) {
    Reach& reach = reached[vip.pool];
    reach.counts_flows |= vip.protocol != model::Protocol::kUdp;
    reach.by_port |= vip.spread_by == model::SpreadBy::kDestinationPort;
  }
  return reached;
}

detect::Spread SpreadOf(const guard::BuiltPool& pool, const Reach& reach) {
  if (pool.config.affinity == model::Affinity::kSource) return detect::Spread::kSource;
  return reach.by_port ? detect::Spread::kPort : detect::Spread::kConnection;
}

detect::PoolPlan MakePlan(const ShareAge& age, const Reach& reach, uint64_t revision) {
  return {.pool = age.pool->name(),
          .revision = revision,
          .generation = age.generation,
          .since_unix_ns = age.since_unix_ns,
          .table_size = age.pool->table->size,
          .spread = SpreadOf(*age.pool, reach),
          .counts_flows = reach.counts_flows,
          .single_backend = age.policy.single_backend.has_value(),
          .servers = PlanServers(*age.pool, age.policy)};
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

detect::Detector::Plans PlanDetection(const engine::State& state, const model::Policy& host,
                                      uint32_t next, int64_t now_unix_ns, ShareAges* ages) {
  detect::Detector::Plans plans;
  if (state.kernel == nullptr) {
    ages->clear();
    return plans;
  }
  const guard::BuiltFleet& fleet = *state.kernel;
  const std::map<std::string_view, Reach> reached = ReachedBy(fleet.vips);
  std::erase_if(*ages, [&](const auto& age) { return !reached.contains(age.first); });
  for (const auto& pool : fleet.pools) {
    const auto reach = reached.find(pool->name());
    if (reach == reached.end()) continue;
    ShareAge& age = (*ages)[pool->name()];
    model::Policy policy = guard::StricterOf(host, fleet.policy, pool->config.policy);
    const bool as_before = age.plan != nullptr && age.pool == pool && age.policy == policy &&
                           age.plan->revision == state.applied.revision &&
                           age.plan->counts_flows == reach->second.counts_flows &&
                           age.plan->spread == SpreadOf(*pool, reach->second);
    if (!as_before) {
      if (age.table != pool->table) {
        age = {.table = pool->table,
               .digest = pool->digest,
               .generation = next,
               .since_unix_ns = now_unix_ns,
               .pool = {},
               .plan = {},
               .policy = {}};
      }
      age.pool = pool;
      age.policy = std::move(policy);
      age.plan =
          std::make_shared<detect::PoolPlan>(MakePlan(age, reach->second, state.applied.revision));
    }
    plans.push_back(age.plan);
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

std::vector<detect::PoolReading> ReadPools(const detect::Detector::Plans& plans,
                                           const publish::CounterReport& counters,
                                           const publish::TrackingReport& tracking) {
  std::map<std::string_view, std::map<model::IpAddress, const dataplane::Counter*>> by_pool;
  for (const publish::BackendCounters& backend : counters.backends) {
    by_pool[backend.pool][backend.address] = &backend.counter;
  }
  std::map<std::string_view, uint32_t> moving;
  for (const publish::TrackingReport::Pool& pool : tracking.pools) moving[pool.pool] = pool.moving;
  std::vector<detect::PoolReading> readings;
  readings.reserve(plans.size());
  for (const std::shared_ptr<const detect::PoolPlan>& plan : plans) {
    const detect::PoolPlan& pool = *plan;
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
