// SPDX-License-Identifier: Apache-2.0
#include "oracle.h"

#include <algorithm>

#include "control/model/text.h"

namespace evenkeel::health::testing {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

bool Healthy(const ServerStatus& server) {
  return server.health == Health::kUp || server.health == Health::kUnknown;
}

}  // namespace

model::Pool Without(model::Pool pool, const Addresses& out) {
  for (model::Backend& backend : pool.backends) {
    if (out.contains(backend.address)) backend.state = model::AdminState::kDisabled;
  }
  return pool;
}

std::string TooMuch(const guard::BuiltPool& pool) {
  if (pool.config.policy.single_backend) return "";
  const size_t n = pool.slots.size();
  double weights = 0;
  std::map<model::IpAddress, double> weight;
  for (const model::Backend& backend : pool.config.backends) {
    if (!backend.serving()) continue;
    weight[backend.address] += static_cast<double>(backend.weight);
    weights += static_cast<double>(backend.weight);
  }
  for (size_t i = 0; i < n; ++i) {
    const double share = pool.slots[i] / static_cast<double>(pool.table->size);
    const double slot = 1.01 / pool.table->size;
    const double intended = weight.at(pool.table->servers[i]) / weights;
    if (share > std::min(n >= 3 ? 0.5 : 0.8, 2 * intended) + slot) {
      return pool.table->servers[i].ToString();
    }
  }
  return "";
}

size_t MinimumOf(const model::Pool& pool) {
  const size_t declared =
      pool.policy.single_backend ? 1 : pool.policy.min_serving_backends.value_or(2);
  return std::min(declared, ServingOf(pool).size());
}

Addresses ServingOf(const model::Pool& pool) {
  Addresses serving;
  for (const model::Backend& backend : pool.backends) {
    if (backend.state == model::AdminState::kEnabled && backend.weight > 0) {
      serving.insert(backend.address);
    }
  }
  return serving;
}

void Oracle::Restart() {
  for (auto& [name, memory] : pools_) {
    memory.removals_ns.clear();
    memory.panic = false;
    memory.states.clear();
  }
}

void Oracle::Configure(const model::Config& config) {
  config_ = config;
  std::map<std::string, PoolMemory> before = std::exchange(pools_, {});
  for (const model::Pool& pool : config.pools) {
    if (!pool.health_check) continue;
    PoolMemory& memory = pools_[pool.name] = std::move(before[pool.name]);
    const Addresses serving = ServingOf(pool);
    std::erase_if(memory.known, [&](const auto& a) { return !serving.contains(a); });
    std::erase_if(memory.out, [&](const auto& a) { return !serving.contains(a); });
    std::erase_if(memory.states, [&](const auto& s) { return !serving.contains(s.first); });
  }
}

std::string Oracle::CheckTransitions(const std::vector<Transition>& transitions) {
  for (const Transition& t : transitions) {
    const auto pool = pools_.find(t.pool);
    // Of a server that a change of the configuration took since.
    if (pool == pools_.end()) continue;
    const auto& server = pool->second.states.try_emplace(t.server, Health::kUnknown, 0).first;
    auto& [health, down_ns] = server->second;
    const std::string what = t.pool + "/" + t.server.ToString() + " ";
    if (t.cause.empty() || t.names.empty()) return what + "has no cause or name";
    if (t.from != health) return what + "does not go on from where it was";
    if (!IsEdge(t.from, t.to)) return what + "took a way that is not in the table";
    edges.insert({t.from, t.to});
    const bool fell = t.from == Health::kUp || t.from == Health::kUnknown;
    if (t.to == Health::kDown && fell) {
      down_ns = t.cause.find("restart") == std::string::npos ? t.unix_ns : 0;
    }
    if (t.to == Health::kUp && t.from != Health::kWaiting && t.unix_ns - down_ns < 5 * kSecond) {
      if (!fell) return what + "is back before its hold is over";
    }
    health = t.to;
  }
  return "";
}

std::string Oracle::Check(const Decision& decision, const Monitor& monitor, const Time& now) {
  size_t checked = 0;
  for (const model::Pool& pool : config_.pools) {
    const PoolDecision* decided = decision.FindPool(pool.name);
    if ((decided != nullptr) != pool.health_check.has_value()) return pool.name + ": watched?";
    if (decided == nullptr) continue;
    ++checked;
    const std::string fault = CheckPool(pool, *decided, monitor.Status(pool.name), now);
    if (!fault.empty()) return pool.name + ": " + fault;
  }
  return checked == decision.pools.size() ? "" : "a pool that is not there";
}

std::string Oracle::CheckPool(const model::Pool& pool, const PoolDecision& decision,
                              const std::vector<ServerStatus>& status, const Time& now) {
  PoolMemory& memory = pools_[pool.name];
  Addresses known;
  for (const ServerStatus& server : status) {
    known.insert(server.server);
    const auto state = memory.states.find(server.server);
    const Health last = state == memory.states.end() ? Health::kUnknown : state->second.first;
    if (last != server.health) return server.server.ToString() + " changed and was not told";
  }
  if (known != ServingOf(pool)) return "watches others than those that may serve";
  if (std::string fault = CheckPanic(pool, decision, status, now, memory); !fault.empty()) {
    return fault;
  }
  if (std::string fault = CheckPlaces(pool, decision, status); !fault.empty()) return fault;
  return CheckRemovals(decision, known, now, memory);
}

std::string Oracle::CheckPlaces(const model::Pool& pool, const PoolDecision& decision,
                                const std::vector<ServerStatus>& status) {
  if (!std::is_sorted(decision.out.begin(), decision.out.end())) return "not ascending";
  const Addresses out(decision.out.begin(), decision.out.end());
  std::map<model::IpAddress, const Held*> why;
  for (const Held& h : decision.held) {
    if (h.reason.empty() || h.names.empty()) return "held without a reason or name";
    why[h.server] = &h;
    ++held[h.hold];
  }
  const bool keeps_all =
      decision.panic && pool.health_check->panic != model::HealthCheck::Panic::kHoldLast;
  size_t in = 0;
  for (const ServerStatus& server : status) {
    const bool is_out = out.contains(server.server);
    in += is_out ? 0 : 1;
    if (is_out == server.in_table) return "the status says otherwise";
    const bool as_wanted = is_out == !(Healthy(server) || keeps_all);
    const auto h = why.find(server.server);
    // In a panic it is told of those, too, that are in the table by it.
    const bool must = !as_wanted || (!is_out && !Healthy(server));
    if (must != (h != why.end())) return server.server.ToString() + " is held in silence, or not";
    if (h != why.end() && h->second->in_table == is_out) return "is held elsewhere";
    if (is_out && Healthy(server) && h->second->hold != Hold::kRefused) return "is well and out";
  }
  if (in < MinimumOf(pool)) return "fewer serve than must";
  return "";
}

std::string Oracle::CheckPanic(const model::Pool& pool, const PoolDecision& decision,
                               const std::vector<ServerStatus>& status, const Time& now,
                               PoolMemory& memory) {
  size_t serving = 0, healthy = 0;
  for (const ServerStatus& server : status) {
    if (server.health != Health::kWaiting) ++serving;
    if (Healthy(server)) ++healthy;
  }
  if (serving != decision.serving || healthy != decision.healthy) return "counts otherwise";
  const size_t minimum = MinimumOf(pool);
  const bool in_panic = decision.panic.has_value();
  if (10 * healthy < 6 * serving || healthy < minimum) memory.unwell_ns = now.steady_ns;
  if ((2 * healthy < serving || healthy < minimum) && !in_panic) return "should be in panic";
  if (in_panic && decision.panic->why.empty()) return "panics without a cause";
  if (in_panic && !memory.panic) {
    ++panics;
    if (2 * healthy >= serving && healthy >= minimum) return "panics for nothing";
  }
  if (!in_panic && memory.panic) {
    ++exits;
    if (now.steady_ns - memory.unwell_ns < 10 * kSecond) return "leaves its panic too early";
  }
  if (decision.withdraw !=
      (in_panic && pool.health_check->panic == model::HealthCheck::Panic::kWithdraw)) {
    return "withdraws, or does not";
  }
  memory.panic = in_panic;
  return "";
}

std::string Oracle::CheckRemovals(const PoolDecision& decision, const Addresses& known,
                                  const Time& now, PoolMemory& memory) {
  const Addresses out(decision.out.begin(), decision.out.end());
  size_t gone = 0;
  for (const model::IpAddress& server : memory.known) {
    const bool was_out = memory.out.contains(server), is_out = out.contains(server);
    if (was_out && !is_out) ++returns;
    if (was_out || !is_out) continue;
    ++gone;
    ++removals;
    memory.removals_ns.push_back(now.steady_ns);
  }
  memory.known = known;
  memory.out = out;
  if (gone > 0 && decision.panic) return "takes servers out in a panic";
  const auto recent = static_cast<size_t>(
      std::count_if(memory.removals_ns.begin(), memory.removals_ns.end(),
                    [&](int64_t at) { return now.steady_ns - at < 60 * kSecond; }));
  if (gone > 0 && recent > std::max<size_t>(1, decision.serving / 10)) return "takes out too many";
  return "";
}

}  // namespace evenkeel::health::testing
