// SPDX-License-Identifier: Apache-2.0
#include "control/engine/health_out.h"

#include <optional>

namespace evenkeel::engine {
namespace {

// The pool as it is to be built; nothing: as it is.
std::optional<model::Pool> WithoutServers(const model::Pool& pool,
                                          const std::set<model::IpAddress>& out) {
  std::optional<model::Pool> changed;
  for (size_t i = 0; i < pool.backends.size(); ++i) {
    if (!pool.backends[i].serving() || !out.contains(pool.backends[i].address)) continue;
    if (!changed) changed = pool;
    changed->backends[i].state = model::AdminState::kDisabled;
  }
  return changed;
}

}  // namespace

bool IsOut(const HealthOut& out, const std::string& pool, const model::IpAddress& server) {
  const auto found = out.find(pool);
  return found != out.end() && found->second.contains(server);
}

absl::StatusOr<std::shared_ptr<const guard::BuiltFleet>> WithoutOut(
    std::shared_ptr<const guard::BuiltFleet> fleet, const HealthOut& out,
    const guard::BuiltFleet* like) {
  for (const auto& [name, servers] : out) {
    const guard::BuiltPool* built = fleet->FindPool(name);
    if (built == nullptr) continue;
    const std::optional<model::Pool> pool = WithoutServers(built->config, servers);
    if (!pool) continue;
    auto next = guard::ReplacePool(*fleet, *pool, like);
    if (!next.ok()) return next.status();
    fleet = *std::move(next);
  }
  return fleet;
}

}  // namespace evenkeel::engine
