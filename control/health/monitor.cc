// SPDX-License-Identifier: Apache-2.0
#include "control/health/monitor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "control/guard/policy.h"

namespace evenkeel::health {

std::string_view ToString(Hold hold) {
  switch (hold) {
    case Hold::kRate:
      return "rate";
    case Hold::kPanic:
      return "panic";
    case Hold::kMinimum:
      return "minimum";
    case Hold::kRefused:
      return "refused";
  }
  return "invalid";
}

const PoolDecision* Decision::FindPool(std::string_view name) const {
  const auto found =
      std::lower_bound(pools.begin(), pools.end(), name,
                       [](const PoolDecision& pool, std::string_view n) { return pool.pool < n; });
  return found == pools.end() || found->pool != name ? nullptr : &*found;
}

void Monitor::Configure(const model::Config& config, const Time& now) {
  std::set<std::string> watched;
  for (const model::Pool& pool : config.pools) {
    if (!pool.health_check) continue;
    const model::Policy policy =
        guard::StricterOf(options_.host_policy, config.policy, pool.policy);
    pools_.try_emplace(pool.name, options_)
        .first->second.Configure(pool, guard::MinServing(policy), now, News());
    watched.insert(pool.name);
  }
  std::erase_if(pools_, [&](const auto& item) {
    const auto& [name, pool] = item;
    if (watched.contains(name)) return false;
    if (pool.panic())
      panics_.push_back({name, false, "its health is no longer checked", now.unix_ns});
    return true;
  });
}

void Monitor::Seed(const std::map<std::string, std::vector<model::IpAddress>>& out,
                   const Time& now) {
  for (const auto& [name, servers] : out) {
    if (const auto pool = pools_.find(name); pool != pools_.end()) {
      pool->second.Seed(servers, now, News());
    }
  }
}

void Monitor::Remember(std::span<const Move> moves, const Time& now) {
  for (const auto& [name, past] : Recall(moves, options_.dampening, now.unix_ns)) {
    if (const auto pool = pools_.find(name); pool != pools_.end()) pool->second.Remember(past, now);
  }
}

void Monitor::Note(const std::string& pool, const model::IpAddress& server,
                   const ProbeResult& result, const Time& now) {
  if (const auto found = pools_.find(pool); found != pools_.end()) {
    found->second.Note(server, result, now, News());
  }
}

Decision Monitor::Decide(const Time& now) {
  Decision decision;
  for (auto& [name, pool] : pools_) decision.pools.push_back(pool.Decide(now, News()));
  decision.transitions = std::exchange(transitions_, {});
  decision.panics = std::exchange(panics_, {});
  return decision;
}

void Monitor::Refused(const std::string& pool, const model::IpAddress& server, std::string why,
                      const Time& now) {
  if (const auto found = pools_.find(pool); found != pools_.end()) {
    found->second.Refused(server, std::move(why), now);
  }
}

std::vector<ServerStatus> Monitor::Status(const std::string& pool) const {
  const auto found = pools_.find(pool);
  return found == pools_.end() ? std::vector<ServerStatus>{} : found->second.Status();
}

}  // namespace evenkeel::health
