// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/serving.h"

#include <map>

#include "absl/strings/str_cat.h"

namespace evenkeel::daemon {
namespace {

using advertise::Serving;

// By the way to its servers: one that can be reached is enough.
PoolServing Reachable(const std::string& pool, const guard::BuiltTable& table,
                      const ServingSources& sources) {
  bool pending = false;
  std::string problem;
  for (const model::IpAddress& server : table.servers) {
    const neighbor::Resolution found = sources.resolve(server);
    if (found.next_hop.has_value()) return {};
    pending |= found.pending;
    if (problem.empty()) problem = found.problem;
  }
  if (pending) return {Serving::kUnknown, "how its servers are reached is not known yet"};
  return {Serving::kNo, absl::StrCat("no server of pool ", pool, " can be reached: ", problem)};
}

PoolServing OfPool(const std::string& name, const engine::State& state,
                   const ServingSources& sources) {
  const guard::BuiltPool* pool = state.kernel->FindPool(name);
  if (pool == nullptr || pool->table == nullptr || pool->table->servers.empty()) {
    return {Serving::kNo, absl::StrCat("no server of pool ", name, " serves")};
  }
  PoolServing serving = Reachable(name, *pool->table, sources);
  if (serving.serving == Serving::kNo || !pool->config.health_check.has_value()) return serving;
  PoolServing health = sources.health(name);
  return health.serving == Serving::kYes ? serving : health;
}

}  // namespace

std::vector<advertise::VipView> ServingOf(const engine::State& state,
                                          const engine::Withdrawals& withdrawals,
                                          const ServingSources& sources) {
  std::vector<advertise::VipView> views;
  std::map<std::string, PoolServing> pools;
  const bool known_state = state.kernel != nullptr;
  for (const model::Vip& vip : known_state ? state.kernel->vips : state.desired->vips) {
    advertise::VipView view{.vip = vip.name, .address = vip.address, .why = ""};
    if (const history::Withdrawal* withdrawn = withdrawals.Find(vip.name)) {
      view.serving = Serving::kNo;
      view.why = absl::StrCat("withdrawn by ", withdrawn->author, ": ", withdrawn->reason);
    } else if (!known_state) {
      view.serving = Serving::kUnknown;
      view.why = "the kernel forwards with another state than the one in force";
    } else if (!sources.attached) {
      view.serving = Serving::kUnknown;
      view.why = "this daemon was not told its interfaces (--interface)";
    } else {
      auto known = pools.find(vip.pool);
      if (known == pools.end()) {
        known = pools.emplace(vip.pool, OfPool(vip.pool, state, sources)).first;
      }
      view.serving = known->second.serving;
      view.why = known->second.why;
    }
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace evenkeel::daemon
