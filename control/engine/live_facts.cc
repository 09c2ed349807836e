// SPDX-License-Identifier: Apache-2.0
//
// What the daemon knows that a rule may ask for.
#include "absl/container/flat_hash_set.h"
#include "control/engine/local_engine.h"

namespace evenkeel::engine {
namespace {

constexpr int64_t kHourNs = 3600 * int64_t{1'000'000'000};
// Reading all counters costs tens of milliseconds, which no change should pay: Tick reads them more
// often than they grow as old as this.
constexpr int64_t kFreshNs = 6'000'000'000;

std::vector<guard::PastChange> ToPastChanges(const std::vector<history::PoolChange>& changes) {
  std::vector<guard::PastChange> result;
  for (const history::PoolChange& change : changes) {
    result.push_back({.pool = change.pool, .revision = change.revision, .unix_ns = change.unix_ns});
  }
  return result;
}

// Backends of pools that differ from what runs, or that a VIP leads to that did not: there may be
// a hundred thousand others, of which no rule asks.
std::vector<model::IpAddress> AddressesAsked(const guard::BuiltFleet& candidate,
                                             const guard::BuiltFleet* running) {
  // States share the pools that do not differ, as objects.
  absl::flat_hash_set<const guard::BuiltPool*> same;
  if (running != nullptr) {
    for (const auto& pool : running->pools) same.insert(pool.get());
  }
  absl::flat_hash_set<std::string_view> pools;
  for (const auto& pool : candidate.pools) {
    if (!same.contains(pool.get())) pools.insert(pool->name());
  }
  for (const model::Vip& vip : candidate.vips) {
    const model::Vip* before = running != nullptr ? running->FindVip(vip.name) : nullptr;
    if (before == nullptr || !(*before == vip)) pools.insert(vip.pool);
  }
  absl::flat_hash_set<model::IpAddress> addresses;
  for (const auto& pool : candidate.pools) {
    if (!pools.contains(pool->name())) continue;
    for (const model::Backend& backend : pool->config.backends) addresses.insert(backend.address);
  }
  return {addresses.begin(), addresses.end()};
}

}  // namespace

absl::Status LocalEngine::SampleTraffic(int64_t at_most_old_ns) {
  const int64_t now = SteadyNow();
  std::lock_guard lock(sample_mutex_);
  if (sampled_ns_ != 0 && now < sampled_ns_ + at_most_old_ns) return absl::OkStatus();
  const absl::StatusOr<publish::CounterReport> counters = deps_.kernel->ReadCounters();
  if (!counters.ok()) return counters.status();
  traffic_.Note(*counters, now, deps_.now_unix_ns());
  drains_.Note(*counters, *Snapshot()->desired, now);
  sampled_ns_ = now;
  return absl::OkStatus();
}

guard::Consent LocalEngine::MakeConsent(const Request& request) {
  guard::Consent consent{.allow_live = request.consent.allow_live};
  const int64_t expires =
      deps_.now_unix_ns() + std::chrono::nanoseconds(request.consent.expires).count();
  // A plan may have no reason yet; what it shows is what the change with one would meet.
  const std::string reason = request.reason.empty() ? "(its reason)" : request.reason;
  for (const std::string& rule : request.consent.overrides) {
    consent.overrides.push_back(
        {.rule = rule, .reason = reason, .author = request.author, .expires_unix_ns = expires});
  }
  return consent;
}

Court LocalEngine::MakeCourt(const State& state, guard::Consent consent, bool whole) {
  Court court = deps_.court;
  court.consent = std::move(consent);
  court.facts = [this, &state, whole](const guard::BuiltFleet& candidate) {
    absl::StatusOr<guard::Facts> facts = deps_.court.facts(candidate);
    if (facts.ok()) facts->live = GatherLive(state, candidate, whole);
    return facts;
  };
  return court;
}

// What cannot be gathered is an error in its place: the rule that asks for it refuses.
guard::LiveFacts LocalEngine::GatherLive(const State& state, const guard::BuiltFleet& candidate,
                                         bool whole) {
  guard::LiveFacts live;
  live.now_unix_ns = deps_.now_unix_ns();
  live.pace = deps_.pace;
  live.pending_revision = state.applied.awaits() ? state.applied.revision : 0;
  const auto changes = deps_.history->PoolChanges(live.now_unix_ns - kHourNs);
  if (changes.ok()) {
    live.changes = ToPastChanges(*changes);
  } else {
    live.changes = changes.status();
  }
  if (const absl::Status status = SampleTraffic(kFreshNs); !status.ok()) {
    live.traffic = status;
  } else if (state.kernel != nullptr) {
    live.traffic = traffic_.Report(*state.kernel, SteadyNow());
  }
  const std::vector<model::IpAddress> asked =
      AddressesAsked(candidate, whole ? nullptr : state.kernel.get());
  if (deps_.reach) {
    live.reach = deps_.reach(asked);
  } else {
    for (const model::IpAddress& address : asked) (*live.reach)[address] = {};
  }
  return live;
}

}  // namespace evenkeel::engine
