// SPDX-License-Identifier: Apache-2.0
#include "control/engine/admission.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/guard/policy.h"
#include "control/guard/replace_pools.h"
#include "control/health/probed.h"
#include "control/health/slow_start.h"

namespace evenkeel::engine {
namespace {

std::set<model::IpAddress> ServersOf(const guard::BuiltFleet& fleet, const std::string& pool) {
  std::set<model::IpAddress> servers;
  const guard::BuiltPool* const built = fleet.FindPool(pool);
  if (built == nullptr) return servers;
  for (const model::Backend& backend : built->config.backends) {
    if (backend.serving()) servers.insert(backend.address);
  }
  return servers;
}

bool StartsDown(const model::Pool& pool, const std::vector<model::Vip>& vips) {
  return !health::QuestionsOf(pool, vips).empty() &&
         pool.health_check->start == model::HealthCheck::Start::kDown;
}

bool StartsSlowly(const model::Pool& pool) {
  return pool.slow_start.new_backends && pool.slow_start.over.count() > 0;
}

std::string NamesOf(const guard::BuiltFleet& fleet, const std::string& pool,
                    const model::IpAddress& server) {
  std::string names;
  if (const guard::BuiltPool* built = fleet.FindPool(pool)) {
    for (const model::Backend& backend : built->config.backends) {
      if (backend.address != server) continue;
      absl::StrAppend(&names, names.empty() ? "" : ", ", backend.name);
    }
  }
  return names.empty() ? server.ToString() : names;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const guard::BuiltFleet>> WithAdmission(
    std::shared_ptr<const guard::BuiltFleet> fleet, const health::Admission& admission,
    const guard::BuiltFleet* like) {
  std::vector<model::Pool> changed;
  for (const auto& built : fleet->pools) {
    const auto found = admission.find(built->name());
    if (found == admission.end()) continue;
    model::Pool pool = built->config;
    if (health::ApplyAdmission(found->second, &pool)) changed.push_back(std::move(pool));
  }
  if (changed.empty()) return fleet;
  return guard::ReplacePools(*fleet, changed, like);
}

health::Admission CarryOver(const health::Admission& now, const guard::BuiltFleet& fleet,
                            const guard::BuiltFleet& before) {
  health::Admission admission;
  for (const auto& [pool, servers] : now) {
    const std::set<model::IpAddress> were = ServersOf(before, pool);
    const std::set<model::IpAddress> are = ServersOf(fleet, pool);
    for (const auto& [server, permille] : servers) {
      if (!were.contains(server) || !are.contains(server)) continue;
      health::Admit(pool, server, permille, &admission);
    }
  }
  return admission;
}

health::Admission AdmitNew(const health::Admission& now, const guard::BuiltFleet& fleet,
                           const guard::BuiltFleet& before, const model::Policy& host_policy) {
  health::Admission admission = CarryOver(now, fleet, before);
  for (const auto& built : fleet.pools) {
    const model::Pool& pool = built->config;
    const bool starts_down = StartsDown(pool, fleet.vips);
    if (!starts_down && !StartsSlowly(pool)) continue;
    const std::set<model::IpAddress> were = ServersOf(before, pool.name);
    if (were.empty()) continue;
    const size_t enough =
        guard::MinServing(guard::StricterOf(host_policy, fleet.policy, pool.policy));
    size_t in = 0;
    std::set<model::IpAddress> fresh;
    for (const model::IpAddress& server : ServersOf(fleet, pool.name)) {
      if (!were.contains(server)) {
        fresh.insert(server);
      } else if (health::Admitted(admission, pool.name, server) != health::kOut) {
        ++in;
      }
    }
    const uint16_t step =
        StartsSlowly(pool) && in > 0 ? health::StepsOf(pool, fresh).permille : health::kWhole;
    for (const model::IpAddress& server : fresh) {
      const bool waits = starts_down && in >= enough;
      if (!waits) ++in;
      health::Admit(pool.name, server, waits ? health::kOut : step, &admission);
    }
  }
  return admission;
}

bool HasParts(const health::Admission& admission) {
  for (const auto& [pool, servers] : admission) {
    for (const auto& [server, permille] : servers) {
      if (permille != health::kOut) return true;
    }
  }
  return false;
}

health::Admission LiftParts(health::Admission admission, const std::set<std::string>& pools) {
  for (const std::string& pool : pools) {
    const auto found = admission.find(pool);
    if (found == admission.end()) continue;
    std::erase_if(found->second, [](const auto& item) { return item.second != health::kOut; });
    if (found->second.empty()) admission.erase(found);
  }
  return admission;
}

std::vector<history::HealthChange> Differences(const health::Admission& before,
                                               const health::Admission& after,
                                               const guard::BuiltFleet& fleet,
                                               const CauseOfAdmission& cause, int64_t unix_ns) {
  std::set<std::pair<std::string, model::IpAddress>> named;
  for (const health::Admission* admission : {&before, &after}) {
    for (const auto& [pool, servers] : *admission) {
      for (const auto& [server, permille] : servers) named.emplace(pool, server);
    }
  }
  std::vector<history::HealthChange> changes;
  for (const auto& [pool, server] : named) {
    const uint16_t permille = health::Admitted(after, pool, server);
    if (health::Admitted(before, pool, server) == permille) continue;
    changes.push_back({.unix_ns = unix_ns,
                       .pool = pool,
                       .server = server.ToString(),
                       .backend = NamesOf(fleet, pool, server),
                       .permille = permille,
                       .cause = cause(pool, server, permille)});
  }
  return changes;
}

}  // namespace evenkeel::engine
