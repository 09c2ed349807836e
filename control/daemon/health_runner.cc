// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/health_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/health/probed.h"

namespace evenkeel::daemon {
namespace {

// Holds, limits and slow starts go on by time alone; a server's new state is looked at at once.
constexpr std::chrono::milliseconds kTick{50};
constexpr int64_t kRetryNs = 1'000'000'000;
constexpr int64_t kTellAgainNs = 60'000'000'000;

const health::ServerStatus* Find(const std::vector<health::ServerStatus>& servers,
                                 const model::IpAddress& address) {
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const auto& server) { return server.server == address; });
  return found == servers.end() ? nullptr : &*found;
}

health::Options MakeOptions(const model::Policy& host_policy) {
  health::Options options;
  options.host_policy = host_policy;
  return options;
}

void Log(const health::Decision& decision) {
  for (const health::Transition& t : decision.transitions) {
    spdlog::info("{} of pool {} is {}: {}", absl::StrJoin(t.names, ", "), t.pool,
                 std::string(health::ToString(t.to)), t.cause);
  }
  for (const health::PanicChange& p : decision.panics) {
    if (p.begins) {
      spdlog::error("pool {} is in panic: {}", p.pool, p.why);
    } else {
      spdlog::info("pool {} is not in panic any more: {}", p.pool, p.why);
    }
  }
}

}  // namespace

std::vector<probe::Target> TargetsOf(const model::Config& config) {
  std::vector<probe::Target> targets;
  for (const model::Pool& pool : config.pools) {
    const std::optional<uint16_t> port = health::PortToProbe(pool, config.vips);
    if (!port) continue;
    std::set<model::IpAddress> addresses;  // one server may have several names
    for (const model::Backend& backend : pool.backends) {
      if (!backend.serving() || !addresses.insert(backend.address).second) continue;
      targets.push_back({.pool = pool.name,
                         .address = backend.address,
                         .port = *port,
                         .check = *pool.health_check});
    }
  }
  return targets;
}

HealthRunner::HealthRunner(engine::LocalEngine* engine, Clocks clocks,
                           const model::Policy& host_policy)
    : engine_(engine), clocks_(std::move(clocks)), monitor_(MakeOptions(host_policy)) {}

HealthRunner::~HealthRunner() { Stop(); }

health::Time HealthRunner::Now() const {
  return {.steady_ns = clocks_.steady_ns(), .unix_ns = clocks_.now_unix_ns()};
}

absl::Status HealthRunner::Start() {
  absl::StatusOr<std::unique_ptr<probe::Prober>> prober =
      probe::Prober::Start({}, [this](const probe::Target& target, const probe::Result& result) {
        const std::lock_guard lock(mutex_);
        if (result.own_fault) return NoteOwnFault(target, result);
        monitor_.Note(target.pool, target.address, {.ok = result.healthy, .cause = result.cause},
                      Now());
        if (monitor_.has_transitions()) changed_.notify_all();
      });
  if (!prober.ok()) return prober.status();
  prober_ = *std::move(prober);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

// Says nothing about the server, but a check that never asks must not go unseen.
void HealthRunner::NoteOwnFault(const probe::Target& target, const probe::Result& result) {
  const int64_t now = clocks_.steady_ns();
  const auto [it, fresh] = own_fault_told_ns_.try_emplace(target.pool, now);
  if (!fresh && now - it->second < kTellAgainNs) return;
  it->second = now;
  spdlog::warn("pool {}: {} could not be probed: {}", target.pool, target.address.ToString(),
               result.cause);
}

void HealthRunner::Stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  prober_.reset();
}

void HealthRunner::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_for(lock, kTick, [this] { return ending_ || monitor_.has_transitions(); });
    if (ending_) return;
    lock.unlock();
    Step();
    lock.lock();
  }
}

void HealthRunner::Step() {
  const std::shared_ptr<const engine::State> state = engine_->Snapshot();
  if (state->desired != configured_) Configure(*state);
  health::Decision decision;
  {
    const std::lock_guard lock(mutex_);
    decision = decision_ = monitor_.Decide(Now());
  }
  Log(decision);
  const int64_t now_ns = clocks_.steady_ns();
  if (now_ns < retry_at_ns_) return;
  const health::Admission wanted = slow_start_.Next(state->admission, decision, now_ns);
  if (wanted != state->admission) Publish(*state, wanted);
}

void HealthRunner::Publish(const engine::State& state, const health::Admission& wanted) {
  const engine::HealthReport report = engine_->SetHealth(
      wanted, [&](const std::string& pool, const model::IpAddress& server, uint16_t permille) {
        return CauseOf(state, pool, server, permille);
      });
  if (!report.status.ok()) {
    if (problem_ != report.status.message()) {
      problem_ = std::string(report.status.message());
      spdlog::error("health could not be published: {}", problem_);
    }
    retry_at_ns_ = clocks_.steady_ns() + kRetryNs;
    return;
  }
  problem_.clear();
  const std::lock_guard lock(mutex_);
  for (const engine::HealthReport::Refusal& refused : report.refused) {
    spdlog::error("{} of pool {} is down and stays in the table: {}", refused.server.ToString(),
                  refused.pool, refused.why);
    monitor_.Refused(refused.pool, refused.server, refused.why, Now());
  }
}

std::string HealthRunner::CauseOf(const engine::State& before, const std::string& pool,
                                  const model::IpAddress& server, uint16_t permille) const {
  const std::lock_guard lock(mutex_);
  const std::vector<health::ServerStatus> servers = monitor_.Status(pool);
  const health::ServerStatus* const status = Find(servers, server);
  const bool moves =
      permille == health::kOut || health::Admitted(before.admission, pool, server) == health::kOut;
  if (!moves) return "starts slowly";
  if (status == nullptr) return "it is not watched any more";
  // Who is down and comes back all the same does so for another reason than its probes.
  const health::PoolDecision* const decided = decision_.FindPool(pool);
  static const std::vector<health::Held> kNobody;
  for (const health::Held& held : decided == nullptr ? kNobody : decided->held) {
    if (permille != health::kOut && held.server == server && held.in_table) return held.reason;
  }
  return status->cause;
}

// The first time also with those that were out before this daemon.
void HealthRunner::Configure(const engine::State& state) {
  const bool first = configured_ == nullptr;
  configured_ = state.desired;
  model::Config config = state.desired->ToConfig();
  std::vector<std::string> unprobed;
  for (model::Pool& pool : config.pools) {
    if (!pool.health_check || health::PortToProbe(pool, config.vips)) continue;
    unprobed.push_back(pool.name);
    pool.health_check.reset();
  }
  slow_start_.Configure(config);
  const std::vector<probe::Target> targets = TargetsOf(config);
  {
    const std::lock_guard lock(mutex_);
    watched_ = state.desired;
    unprobed_ = std::move(unprobed);
    probed_.clear();
    for (const probe::Target& target : targets) probed_.insert(target.pool);
    std::erase_if(proven_, [this](const std::string& pool) { return !probed_.contains(pool); });
    monitor_.Configure(config, Now());
    if (first) {
      std::map<std::string, std::vector<model::IpAddress>> out;
      for (const auto& [pool, servers] : state.admission) {
        for (const auto& [server, permille] : servers) {
          if (permille == health::kOut) out[pool].push_back(server);
        }
      }
      monitor_.Seed(out, Now());
    }
  }
  if (auto status = prober_->SetTargets(targets); !status.ok()) {
    spdlog::error("health checks stay as they were: {}", std::string(status.message()));
  }
}

void HealthRunner::Describe(engine::Status* status) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& pool : unprobed_) {
    status->notices.push_back(absl::StrCat("pool ", pool,
                                           " has a health check and is not probed: no VIP with a "
                                           "port leads to it; write health_check.port"));
  }
  for (engine::PoolStatus& pool : status->pools) {
    const health::PoolDecision* decided = decision_.FindPool(pool.name);
    if (decided == nullptr) continue;
    if (decided->panic) pool.panic = decided->panic->why;
    const std::vector<health::ServerStatus> servers = monitor_.Status(pool.name);
    for (engine::BackendStatus& backend : pool.backends) {
      const health::ServerStatus* server = Find(servers, backend.address);
      if (server == nullptr || backend.state != model::AdminState::kEnabled) continue;
      const bool unknown = server->health == health::Health::kUnknown;
      backend.health = unknown ? "unknown" : health::IsHealthy(server->health) ? "up" : "down";
      backend.health_cause = server->cause;
      if (!unknown) {
        const health::Time now = Now();
        backend.health_since_unix_ns = now.unix_ns - (now.steady_ns - server->since_ns);
      }
      for (const health::Held& held : decided->held) {
        if (held.server != backend.address) continue;
        backend.held = held.in_table;
        absl::StrAppend(&backend.health_cause, "; ", held.reason);
      }
    }
  }
}

// A pool is believed from the first server on that was up; until then a new route waits.
PoolServing HealthRunner::Serving(const guard::BuiltFleet* desired, const std::string& pool) {
  const std::lock_guard lock(mutex_);
  if (watched_.get() != desired) {
    return {advertise::Serving::kUnknown, "its servers are not probed yet"};
  }
  if (!probed_.contains(pool)) return {};
  const health::PoolDecision* decided = decision_.FindPool(pool);
  if (decided != nullptr && decided->panic) {
    if (!decided->withdraw) return {};
    return {advertise::Serving::kNo,
            absl::StrCat("pool ", pool, " is in panic: ", decided->panic->why)};
  }
  if (proven_.contains(pool)) return {};
  for (const health::ServerStatus& server : monitor_.Status(pool)) {
    if (server.health != health::Health::kUp) continue;
    proven_.insert(pool);
    return {};
  }
  return {advertise::Serving::kUnknown, "no probe of its servers has succeeded yet"};
}

}  // namespace evenkeel::daemon
