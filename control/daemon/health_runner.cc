// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/health_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/publish/ledger.h"

namespace evenkeel::daemon {
namespace {

// Holds, limits and slow starts go on by time alone; a server's new state is looked at at once.
constexpr std::chrono::milliseconds kTick{50};
constexpr int64_t kRetryNs = 1'000'000'000;
constexpr int64_t kTellAgainNs = 60'000'000'000;
constexpr int64_t kRefreshNs = 500'000'000;
constexpr int64_t kPlanAgainNs = 10'000'000'000;
constexpr std::chrono::milliseconds kLoanWait{3000};

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

HealthRunner::HealthRunner(engine::LocalEngine* engine, Clocks clocks,
                           const model::Policy& host_policy, Host host)
    : engine_(engine),
      clocks_(std::move(clocks)),
      host_(std::move(host)),
      passive_(host_.passive),
      monitor_(MakeOptions(host_policy)) {}

HealthRunner::~HealthRunner() { Stop(); }

health::Time HealthRunner::Now() const {
  return {.steady_ns = clocks_.steady_ns(), .unix_ns = clocks_.now_unix_ns()};
}

absl::Status HealthRunner::Start() {
  absl::StatusOr<std::unique_ptr<probe::Prober>> prober = probe::Prober::Start(
      {},
      [this](const probe::Target& target, const probe::Result& result) { Note(target, result); });
  if (!prober.ok()) return prober.status();
  prober_ = *std::move(prober);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void HealthRunner::Note(const probe::Target& target, const probe::Result& result) {
  health::ProbeResult said{.ok = result.healthy, .cause = result.cause};
  // Packets for it are not forwarded either.
  if (target.via && !result.healthy) {
    const std::string problem = host_.vips.resolve(target.address).problem;
    if (!problem.empty()) absl::StrAppend(&said.cause, " (", problem, ")");
  }
  const std::lock_guard lock(mutex_);
  if (result.own_fault) return NoteOwnFault(target, result);
  NoteCounted({target.pool, target.address}, WitnessOf(target), std::move(said));
}

void HealthRunner::NoteCounted(const health::Rounds::Server& server, const std::string& witness,
                               health::ProbeResult said) {
  const auto counts = rounds_.Note(server, witness, std::move(said));
  if (!counts) return;
  monitor_.Note(server.first, server.second, *counts, Now());
  if (monitor_.has_transitions()) changed_.notify_all();
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
    served_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  prober_.reset();
  path_.reset();
}

void HealthRunner::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_for(lock, kTick, [this] {
      return ending_ || monitor_.has_transitions() || loan_.asked != loan_.served;
    });
    if (ending_) return;
    lock.unlock();
    Step();
    lock.lock();
  }
}

void HealthRunner::Step() {
  const std::shared_ptr<const engine::State> state = engine_->Snapshot();
  if (state->desired != configured_) Configure(*state);
  ServeGuests();
  FollowHost();
  ListenPassively();
  health::Decision decision;
  {
    const std::lock_guard lock(mutex_);
    decision = decision_ = monitor_.Decide(Now());
  }
  Log(decision);
  for (const health::Transition& transition : decision.transitions) {
    if (host_.changed) host_.changed(transition);
  }
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

// Nothing, where it cannot be read: then a flapping server has one fresh start more.
std::vector<health::Move> HealthRunner::ReadPast() const {
  auto moves = engine_->HealthMovesSince(clocks_.now_unix_ns() - health::kPastNs);
  if (moves.ok()) return *std::move(moves);
  spdlog::warn("flaps and removals from before this start are not known: {}",
               std::string(moves.status().message()));
  return {};
}

// The first time also with those that were out before this daemon.
void HealthRunner::Configure(const engine::State& state) {
  const bool first = configured_ == nullptr;
  configured_ = state.desired;
  config_ = state.desired->ToConfig();
  Known known;
  if (first) known.past = ReadPast();
  for (const auto& [pool, servers] : state.admission) {
    for (const auto& [server, permille] : servers) {
      if (first && permille == health::kOut) known.down[pool].push_back(server);
    }
  }
  std::vector<model::IpAddress> checked;
  for (const model::Pool& pool : config_.pools) {
    if (!pool.health_check) continue;
    for (const model::Backend& backend : pool.backends) {
      if (backend.serving()) checked.push_back(backend.address);
    }
  }
  if (auto status = host_.keep_following(checked); !status.ok()) {
    spdlog::warn("next hops of servers that are out are not known: {}",
                 std::string(status.message()));
  }
  Plan(known);
}

// Opened where it is needed, and given back where it is not any more.
absl::Status HealthRunner::PreparePath() {
  std::set<VipPath::Server> servers = guests_;
  for (const model::Pool& pool : config_.pools) {
    for (const model::IpAddress& server : ServersBehindVips(pool)) {
      servers.insert({.pool = pool.name,
                      .address = server,
                      .method = publish::MethodOf(pool.forwarding, server)});
    }
  }
  through_vips_ = !servers.empty();
  if (!through_vips_) {
    path_.reset();
    return absl::OkStatus();
  }
  if (path_ == nullptr) {
    auto opened = VipPath::Open(host_.vips);
    if (!opened.ok()) return opened.status();
    path_ = *std::move(opened);
  }
  return path_->SetServers(servers);
}

void HealthRunner::ServeGuests() {
  uint64_t asked = 0;
  {
    const std::lock_guard lock(mutex_);
    if (loan_.asked == loan_.served) return;
    asked = loan_.asked;
    guests_ = loan_.servers;
  }
  absl::StatusOr<std::map<VipPath::Server, uint32_t>> marks = std::map<VipPath::Server, uint32_t>();
  absl::Status status = PreparePath();
  for (const VipPath::Server& server : guests_) {
    const auto mark = status.ok() ? path_->MarkOf(server.pool, server.address) : std::nullopt;
    if (mark) (*marks)[server] = *mark;
  }
  if (!status.ok() && !guests_.empty()) {
    // Those of the health checks stay, whatever becomes of the guests.
    marks = status;
    guests_.clear();
    status = PreparePath();
  }
  TellPathProblem(status);
  const std::lock_guard lock(mutex_);
  loan_.marks = std::move(marks);
  loan_.served = asked;
  served_.notify_all();
}

absl::StatusOr<std::map<VipPath::Server, uint32_t>> HealthRunner::LendPaths(
    const std::set<VipPath::Server>& servers) {
  std::unique_lock lock(mutex_);
  loan_.servers = servers;
  const uint64_t asked = ++loan_.asked;
  changed_.notify_all();
  const bool served =
      served_.wait_for(lock, kLoanWait, [&] { return ending_ || loan_.served >= asked; });
  if (ending_) return absl::UnavailableError("the daemon is ending");
  if (served) return loan_.marks;
  return absl::DeadlineExceededError("the health checks of this host are busy; ask again");
}

// Once, however often it is tried again.
void HealthRunner::TellPathProblem(const absl::Status& status) {
  if (status.message() == path_problem_) return;
  path_problem_ = std::string(status.message());
  if (!status.ok()) spdlog::error("probes through VIPs cannot be sent: {}", path_problem_);
}

ProbePlan HealthRunner::MakePlan() const {
  // Many servers are behind one interface.
  std::map<std::pair<model::IpAddress, std::string>, std::string> faults;
  return PlanProbes(config_,
                    {.mark = [&](const std::string& pool,
                                 const model::IpAddress& server) -> std::optional<uint32_t> {
                       return path_ == nullptr ? std::nullopt : path_->MarkOf(pool, server);
                     },
                     .fault =
                         [&](const model::IpAddress& vip, const model::IpAddress& server) {
                           const std::string interface = host_.vips.resolve(server).interface;
                           const auto [it, fresh] = faults.try_emplace({vip, interface});
                           if (fresh) it->second = WhyNoAnswer(vip, interface);
                           return it->second;
                         }});
}

void HealthRunner::Plan(const Known& known) {
  TellPathProblem(PreparePath());
  filters_ = ReadFilters();
  plan_ = MakePlan();
  plan_at_ns_ = clocks_.steady_ns() + kPlanAgainNs;
  const model::Config watched = WatchedConfig(config_, plan_);
  slow_start_.Configure(watched);
  {
    const std::lock_guard lock(mutex_);
    notices_ = plan_.notices;
    probed_.clear();
    for (const probe::Target& target : plan_.targets) probed_.insert(target.pool);
    blind_ = plan_.blind;
    std::erase_if(proven_, [this](const std::string& pool) {
      return !probed_.contains(pool) && !blind_.contains(pool);
    });
    rounds_.Configure(plan_.witnesses);
    monitor_.Configure(watched, Now());
    monitor_.Seed(known.down, Now());
    monitor_.Remember(known.past, Now());
    watched_ = configured_;
  }
  passive_.Configure(configured_, config_, plan_.witnesses, clocks_.steady_ns());
  if (auto status = prober_->SetTargets(plan_.targets); !status.ok()) {
    spdlog::error("health checks stay as they were: {}", std::string(status.message()));
  }
}

void HealthRunner::ListenPassively() {
  std::vector<PassiveWatch::Said> said = passive_.Step(clocks_.steady_ns());
  const std::lock_guard lock(mutex_);
  passive_problem_ = passive_.problem();
  for (PassiveWatch::Said& one : said) {
    NoteCounted(one.server, kPassiveWitness, std::move(one.result));
  }
}

// rp_filter of the interfaces that lead to servers which are checked through VIPs.
std::map<std::string, int> HealthRunner::ReadFilters() const {
  std::map<std::string, int> filters;
  for (const model::Pool& pool : config_.pools) {
    for (const model::IpAddress& server : ServersBehindVips(pool)) {
      const std::string interface = host_.vips.resolve(server).interface;
      const auto [it, fresh] = filters.try_emplace(interface);
      if (fresh && !interface.empty()) it->second = ReadRpFilter(interface);
    }
  }
  return filters;
}

// Next hops and routes, and whether answers come back. A filter that somebody sets drops all of
// them at once: that is to be known before enough probes have failed to call servers down.
void HealthRunner::FollowHost() {
  if (!through_vips_) return;
  const int64_t now = clocks_.steady_ns();
  if (path_ != nullptr && now >= refresh_at_ns_) {
    refresh_at_ns_ = now + kRefreshNs;
    TellPathProblem(path_->Refresh());
    if (ReadFilters() != filters_) plan_at_ns_ = now;
  }
  if (now < plan_at_ns_) return;
  plan_at_ns_ = now + kPlanAgainNs;
  if (path_ != nullptr) {
    filters_ = ReadFilters();
    const ProbePlan plan = MakePlan();
    if (plan.targets == plan_.targets && plan.notices == plan_.notices) return;
  }
  Plan();
}

void HealthRunner::Describe(engine::Status* status) const {
  const std::lock_guard lock(mutex_);
  status->notices.insert(status->notices.end(), notices_.begin(), notices_.end());
  if (!passive_problem_.empty()) status->notices.push_back(passive_problem_);
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

std::map<model::IpAddress, detect::Health> HealthRunner::HealthOf(const std::string& pool) const {
  std::map<model::IpAddress, detect::Health> health;
  const std::lock_guard lock(mutex_);
  for (const health::ServerStatus& server : monitor_.Status(pool)) {
    const bool unknown = server.health == health::Health::kUnknown;
    health[server.server] = unknown                            ? detect::Health::kUnknown
                            : health::IsHealthy(server.health) ? detect::Health::kUp
                                                               : detect::Health::kDown;
  }
  return health;
}

// A pool is believed from the first server on that was up; until then a new route waits.
PoolServing HealthRunner::Serving(const guard::BuiltFleet* desired, const std::string& pool) {
  const std::lock_guard lock(mutex_);
  if (watched_.get() != desired) {
    return {advertise::Serving::kUnknown, "its servers are not probed yet"};
  }
  if (!probed_.contains(pool) && !blind_.contains(pool)) return {};
  const health::PoolDecision* decided = decision_.FindPool(pool);
  if (decided != nullptr && decided->panic) {
    if (!decided->withdraw) return {};
    return {advertise::Serving::kNo,
            absl::StrCat("pool ", pool, " is in panic: ", decided->panic->why)};
  }
  // Nobody can prove anything where nobody can be asked.
  if (proven_.contains(pool) || blind_.contains(pool)) return {};
  for (const health::ServerStatus& server : monitor_.Status(pool)) {
    if (server.health != health::Health::kUp) continue;
    proven_.insert(pool);
    return {};
  }
  return {advertise::Serving::kUnknown, "no probe of its servers has succeeded yet"};
}

}  // namespace evenkeel::daemon
