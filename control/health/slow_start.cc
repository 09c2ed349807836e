// SPDX-License-Identifier: Apache-2.0
#include "control/health/slow_start.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace evenkeel::health {
namespace {

using std::chrono::milliseconds;

// Also where a server's share is small: it is cold all the same.
constexpr double kMinSteps = 10;
constexpr milliseconds kMinInterval{1000};
// Steps of all pools are made at multiples of this, so that they share their publications.
constexpr int64_t kGrid = 500'000'000;

bool IsOut(const PoolDecision* decision, const model::IpAddress& server) {
  return decision != nullptr &&
         std::binary_search(decision->out.begin(), decision->out.end(), server);
}

bool WantsAll(const PoolDecision* decision) { return decision != nullptr && decision->panic; }

}  // namespace

Steps StepsOf(const model::Pool& pool, const std::set<model::IpAddress>& starting) {
  if (pool.slow_start.over == milliseconds(0) || starting.empty()) return {};
  double all = 0, their = 0;
  for (const model::Backend& backend : pool.backends) {
    if (!backend.serving()) continue;
    all += static_cast<double>(backend.weight);
    if (starting.contains(backend.address)) their += static_cast<double>(backend.weight);
  }
  if (their >= all) return {};
  const double steps = std::clamp(std::ceil(their / all / pool.slow_start.max_step_fraction),
                                  kMinSteps, double{kWhole});
  return {
      .permille = static_cast<uint16_t>(std::ceil(kWhole / steps)),
      .interval = std::max(
          kMinInterval, milliseconds(static_cast<int64_t>(pool.slow_start.over.count() / steps)))};
}

void SlowStart::Configure(const model::Config& config) {
  std::map<std::string, Pool> before = std::exchange(pools_, {});
  for (const model::Pool& pool : config.pools) {
    Pool& next = pools_[pool.name];
    next.config = pool;
    for (const model::Backend& backend : pool.backends) {
      if (backend.serving()) next.servers.insert(backend.address);
    }
    const auto known = before.find(pool.name);
    if (known != before.end()) next.next_step_ns = known->second.next_step_ns;
  }
}

PoolAdmission SlowStart::NextOf(Pool& pool, const PoolAdmission& in_force,
                                const PoolDecision* decision, int64_t steady_ns) {
  PoolAdmission next;
  std::set<model::IpAddress> starting;
  for (const model::IpAddress& server : pool.servers) {
    if (IsOut(decision, server)) {
      next[server] = kOut;
    } else if (const uint16_t now = Admitted(in_force, server); now < kWhole) {
      starting.insert(server);
    }
  }
  if (starting.empty() || WantsAll(decision)) {
    pool.next_step_ns = 0;
    return next;
  }
  // Their share is of what is in the table.
  model::Pool table = pool.config;
  for (model::Backend& backend : table.backends) {
    if (next.contains(backend.address)) backend.state = model::AdminState::kDisabled;
  }
  const Steps steps = StepsOf(table, starting);
  // A start that was under way before this daemon waits for its step like any other.
  const bool due = pool.next_step_ns != 0 && steady_ns >= pool.next_step_ns;
  if (pool.next_step_ns == 0 || due) {
    const int64_t at = steady_ns + std::chrono::nanoseconds(steps.interval).count();
    pool.next_step_ns = (at + kGrid - 1) / kGrid * kGrid;
  }
  for (const model::IpAddress& server : starting) {
    const uint16_t now = Admitted(in_force, server);
    const bool step = now == kOut || due || steps.permille == kWhole;
    const uint16_t then = static_cast<uint16_t>(
        std::min<uint32_t>(kWhole, uint32_t{now} + (step ? steps.permille : 0)));
    if (then < kWhole) next[server] = then;
  }
  return next;
}

Admission SlowStart::Next(const Admission& in_force, const Decision& decision, int64_t steady_ns) {
  static const PoolAdmission kEverybody;
  Admission next;
  for (auto& [name, pool] : pools_) {
    const auto now = in_force.find(name);
    const PoolDecision* const decided = decision.FindPool(name);
    if (now == in_force.end() && (decided == nullptr || decided->out.empty())) {
      pool.next_step_ns = 0;
      continue;
    }
    PoolAdmission admission =
        NextOf(pool, now == in_force.end() ? kEverybody : now->second, decided, steady_ns);
    if (!admission.empty()) next[name] = std::move(admission);
  }
  return next;
}

}  // namespace evenkeel::health
