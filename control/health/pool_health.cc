// SPDX-License-Identifier: Apache-2.0
#include "control/health/pool_health.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/guard/health_limits.h"
#include "control/guard/words.h"

namespace evenkeel::health {
namespace {

constexpr int64_t kMinute = 60'000'000'000;

}  // namespace

void PoolHealth::Configure(const model::Pool& pool, size_t minimum, const Time& now, News news) {
  name_ = pool.name;
  check_ = *pool.health_check;
  minimum_ = minimum;
  Servers before = std::exchange(servers_, {});
  for (const model::Backend& backend : pool.backends) {
    if (!backend.serving()) continue;
    Server& server = servers_.try_emplace(backend.address, options_.dampening).first->second;
    server.names.push_back(backend.name);
  }
  for (auto& item : servers_) {
    auto& [address, server] = item;
    if (const auto known = before.find(address); known != before.end()) {
      known->second.names = std::move(server.names);
      server = std::move(known->second);
    } else if (configured_ && check_.start == model::HealthCheck::Start::kDown) {
      // Never was in the table, so that its absence is no removal. The pool's first servers may
      // well be in one: nothing is known of them after a restart.
      server.out = server.moved = true;
      Record(item, server.health.Wait(), now, news);
    }
  }
  configured_ = true;
  NoteWell(now);
}

void PoolHealth::Note(const model::IpAddress& server, const ProbeResult& result, const Time& now,
                      News news) {
  const auto found = servers_.find(server);
  if (found == servers_.end()) return;  // a late result of one that is gone
  Record(*found, found->second.health.Note(result, check_, now.steady_ns), now, news);
}

void PoolHealth::Seed(std::span<const model::IpAddress> out, const Time& now, News news) {
  for (const model::IpAddress& address : out) {
    const auto found = servers_.find(address);
    if (found == servers_.end() || found->second.health.state() != Health::kUnknown) continue;
    found->second.out = found->second.moved = true;
    Record(*found, found->second.health.AssumeDown(now.steady_ns), now, news);
  }
}

void PoolHealth::Remember(const PoolPast& past, const Time& now) {
  for (const auto& [address, before] : past.servers) {
    const auto found = servers_.find(address);
    if (found == servers_.end()) continue;
    found->second.health.Remember(before.flaps, before.hold_left_ns, now.steady_ns);
  }
  for (const PoolPast::Removal& removal : past.removals) {
    removals_.push_back({removal.server, now.steady_ns - removal.ago_ns});
  }
}

void PoolHealth::Record(Servers::value_type& item, const std::optional<Change>& change,
                        const Time& now, News news) {
  if (!change) return;
  auto& [address, server] = item;
  news.transitions.push_back(
      {name_, address, server.names, change->from, change->to, change->cause, now.unix_ns});
  // The guard is asked anew about what is wanted anew.
  if (IsHealthy(change->from) != IsHealthy(change->to)) server.refusal.reset();
  NoteWell(now);
}

void PoolHealth::Count() {
  serving_ = healthy_ = 0;
  for (const auto& [address, server] : servers_) {
    if (!Counts(server.health.state())) continue;
    ++serving_;
    if (server.healthy()) ++healthy_;
  }
}

// Where the configuration has fewer than must serve, that is not for health to mend.
size_t PoolHealth::Minimum() const { return std::min(minimum_, servers_.size()); }

size_t PoolHealth::CountIn() const {
  return static_cast<size_t>(
      std::count_if(servers_.begin(), servers_.end(), [](const auto& s) { return !s.second.out; }));
}

bool PoolHealth::IsWell() const {
  return 100 * healthy_ >= options_.panic_exit_percent * serving_ && healthy_ >= Minimum();
}

// After every change, so that no lapse between two decisions is missed.
void PoolHealth::NoteWell(const Time& now) {
  Count();
  if (!IsWell()) {
    well_since_ns_.reset();
  } else if (!well_since_ns_) {
    well_since_ns_ = now.steady_ns;
  }
}

std::string PoolHealth::CauseOfPanic() const {
  const guard::HealthLimit limit = guard::JudgeMassFailure({serving_, healthy_});
  if (limit.holds) return absl::StrCat("LB011: ", limit.observed, ", ", limit.limit);
  if (healthy_ >= Minimum()) return "";
  return absl::StrCat(guard::Count(healthy_, "server"), " healthy, at least ", Minimum(),
                      " must serve");
}

void PoolHealth::JudgePanic(const Time& now, News news) {
  if (!panic_) {
    const std::string why = CauseOfPanic();
    if (why.empty()) return;
    panic_ = {now.unix_ns, why};
    news.panics.push_back({name_, true, why, now.unix_ns});
    return;
  }
  if (!well_since_ns_ || now.steady_ns - *well_since_ns_ < options_.panic_exit_ns) return;
  panic_.reset();
  news.panics.push_back(
      {name_, false,
       absl::StrCat(healthy_, " of ", guard::Count(serving_, "server"), " healthy for ",
                    static_cast<double>(options_.panic_exit_ns) / 1e9, " s"),
       now.unix_ns});
}

bool PoolHealth::KeepsAll() const {
  return panic_ && check_.panic != model::HealthCheck::Panic::kHoldLast;
}

PoolDecision PoolHealth::Decide(const Time& now, News news) {
  for (auto& item : servers_) Record(item, item.second.health.Tick(now.steady_ns), now, news);
  NoteWell(now);
  JudgePanic(now, news);
  LetReturn(now);
  KeepMinimum();
  if (!panic_) Remove(now);

  PoolDecision decision;
  decision.pool = name_;
  decision.panic = panic_;
  decision.serving = serving_;
  decision.healthy = healthy_;
  const size_t in = CountIn();
  decision.withdraw = panic_ && check_.panic == model::HealthCheck::Panic::kWithdraw;
  for (const auto& item : servers_) {
    if (item.second.out) decision.out.push_back(item.first);
    if (std::optional<Held> held = WhyHeld(item, in, now))
      decision.held.push_back(*std::move(held));
  }
  return decision;
}

// Not limited: who comes back takes load from the others.
void PoolHealth::LetReturn(const Time& now) {
  for (auto& [address, server] : servers_) {
    if (server.out && (server.healthy() || KeepsAll()) && !server.refused(now)) {
      server.out = false;
      server.moved = true;
    }
  }
}

// Above all else, a refusal too: the configuration may have taken away those that served. The
// healthy come first, then those that went last.
void PoolHealth::KeepMinimum() {
  for (size_t in = CountIn(); in < Minimum(); ++in) {
    Server* best = nullptr;
    const auto rank = [](const Server& server) {
      const Health health = server.health.state();
      return std::tuple(IsHealthy(health), Counts(health), server.health.since_ns());
    };
    for (auto& [address, server] : servers_) {
      if (server.out && (best == nullptr || rank(server) > rank(*best))) best = &server;
    }
    best->out = false;
    best->moved = true;
  }
}

// Those that are down and in the table, the longest first.
std::vector<PoolHealth::Servers::value_type*> PoolHealth::Removable(const Time& now) {
  std::vector<Servers::value_type*> down;
  for (auto& item : servers_) {
    if (!item.second.out && !item.second.healthy() && !item.second.refused(now)) {
      down.push_back(&item);
    }
  }
  std::stable_sort(down.begin(), down.end(), [](const auto* a, const auto* b) {
    return a->second.health.since_ns() < b->second.health.since_ns();
  });
  return down;
}

void PoolHealth::Remove(const Time& now) {
  std::erase_if(removals_,
                [&](const Removal& r) { return now.steady_ns - r.steady_ns >= kMinute; });
  size_t allowed = guard::RemovalsAllowed(serving_, RecentRemovals(), now.steady_ns);
  size_t in = CountIn();
  for (auto* item : Removable(now)) {
    if (allowed == 0 || in <= Minimum()) return;
    auto& [address, server] = *item;
    server.out = server.moved = true;
    removals_.push_back({address, now.steady_ns});
    --allowed;
    --in;
  }
}

// The limit is over a minute on any clock; this one does not jump.
std::vector<int64_t> PoolHealth::RecentRemovals() const {
  std::vector<int64_t> recent;
  for (const Removal& removal : removals_) recent.push_back(removal.steady_ns);
  return recent;
}

std::optional<Held> PoolHealth::WhyHeld(const Servers::value_type& item, size_t in,
                                        const Time& now) const {
  const auto& [address, server] = item;
  Held held{address, server.names, !server.out, Hold::kRefused, {}};
  if (!server.out) {
    if (server.healthy()) return std::nullopt;
    return HeldIn(server, std::move(held), in, now);
  }
  if (!server.healthy() && !KeepsAll()) return std::nullopt;
  if (server.refusal) held.reason = server.refusal->why;
  return held;
}

Held PoolHealth::HeldIn(const Server& server, Held held, size_t in, const Time& now) const {
  if (panic_) {
    held.hold = Hold::kPanic;
    held.reason = panic_->why;
  } else if (server.refused(now)) {
    held.reason = server.refusal->why;
  } else if (in <= Minimum()) {
    held.hold = Hold::kMinimum;
    held.reason = absl::StrCat("at least ", Minimum(), " must serve");
  } else {
    held.hold = Hold::kRate;
    held.reason = absl::StrCat(
        "LB012: ", guard::JudgeRemovals(1, serving_, RecentRemovals(), now.steady_ns).limit);
  }
  return held;
}

void PoolHealth::Refused(const model::IpAddress& address, std::string why, const Time& now) {
  const auto found = servers_.find(address);
  if (found == servers_.end() || !found->second.moved) return;
  Server& server = found->second;
  server.moved = false;
  server.out = !server.out;
  if (!server.out) {  // its removal did not take place
    const auto last = std::find_if(removals_.rbegin(), removals_.rend(),
                                   [&](const Removal& r) { return r.server == address; });
    if (last != removals_.rend()) removals_.erase(std::next(last).base());
  }
  const int64_t before = server.refusal ? server.refusal->backoff_ns : 0;
  const int64_t backoff = std::clamp(2 * before, options_.min_backoff_ns, options_.max_backoff_ns);
  server.refusal = {std::move(why), now.steady_ns + backoff, backoff};
}

std::vector<ServerStatus> PoolHealth::Status() const {
  std::vector<ServerStatus> status;
  for (const auto& [address, server] : servers_) {
    status.push_back({address, server.names, server.health.state(), server.health.cause(),
                      !server.out, server.health.since_ns(), server.health.hold_until_ns()});
  }
  return status;
}

}  // namespace evenkeel::health
