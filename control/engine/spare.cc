// SPDX-License-Identifier: Apache-2.0
//
// Whether the servers of a pool could carry on without the one, the rack or the zone that would be
// missed most. LB004 asks that of a configuration; here the live traffic asks.
#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"

namespace evenkeel::engine {
namespace {

// How long it must be so, until there is an alarm and until that is over.
constexpr int64_t kAlarmAfterNs = 10'000'000'000;
constexpr int64_t kClearAfterNs = 30'000'000'000;

BackendStatus* Find(PoolStatus* pool, const model::IpAddress& address) {
  for (BackendStatus& backend : pool->backends) {
    if (backend.address == address && backend.state == model::AdminState::kEnabled) return &backend;
  }
  return nullptr;
}

}  // namespace

traffic::PoolLoad LocalEngine::LoadOf(const guard::BuiltPool& asked, const State& state) const {
  const guard::BuiltPool* built =
      state.kernel != nullptr ? state.kernel->FindPool(asked.name()) : nullptr;
  if (built == nullptr) return {};
  return traffic::LoadOf(asked.config, *built,
                         traffic_.Loads(asked.name(), asked.config.capacity_unit));
}

void LocalEngine::FillLoads(const State& state, Status* status) {
  for (PoolStatus& pool : status->pools) {
    const guard::BuiltPool* asked = state.desired->FindPool(pool.name);
    if (asked == nullptr || asked->config.capacity_unit == model::CapacityUnit::kNone) continue;
    pool.capacity_unit = asked->config.capacity_unit;
    traffic::PoolLoad load = LoadOf(*asked, state);
    for (const traffic::ServerLoad& server : load.servers) {
      BackendStatus* backend = Find(&pool, server.address);
      if (backend == nullptr) continue;
      backend->load = server.load;
      backend->load_after = server.after;
      backend->worst_loss = server.loss;
      backend->capacity = server.capacity;
    }
    pool.domains = std::move(load.domains);
    std::lock_guard lock(state_mutex_);
    const auto alarm = spare_.find(pool.name);
    if (alarm != spare_.end() && alarm->second.alarmed) pool.no_spare = alarm->second.problem;
  }
}

void LocalEngine::WatchSpare() {
  // Nothing new can be said before the counters are read again.
  const int64_t reading = traffic_.last_reading_ns();
  if (std::exchange(spare_reading_ns_, reading) == reading) return;
  const std::shared_ptr<const State> state = Snapshot();
  const int64_t now = SteadyNow();
  std::map<std::string, SpareAlarm> next;
  for (const auto& asked : state->desired->pools) {
    if (asked->config.capacity_unit == model::CapacityUnit::kNone) continue;
    const auto known = spare_.find(asked->name());
    SpareAlarm alarm = known == spare_.end() ? SpareAlarm{} : known->second;
    const std::string problem = LoadOf(*asked, *state).problem;
    if (problem.empty() == alarm.alarmed) {
      // It is not as it was told. The clock of the other way starts over with each relapse.
      const bool over = alarm.alarmed;
      if (alarm.since_ns == 0) alarm.since_ns = now;
      if (now - alarm.since_ns >= (over ? kClearAfterNs : kAlarmAfterNs)) {
        alarm.alarmed = !over;
        alarm.since_ns = 0;
        const std::string text =
            over ? absl::StrCat("pool ", asked->name(), " could lose a server, rack or zone again")
                 : absl::StrCat("pool ", asked->name(), " has no spare capacity: ", problem);
        over ? spdlog::info("{}", text) : spdlog::error("{}", text);
        Emit(over ? Event::Kind::kSpare : Event::Kind::kNoSpare, state->applied.revision,
             asked->name(), text);
      }
    } else {
      alarm.since_ns = 0;
    }
    if (!problem.empty()) alarm.problem = problem;
    next[asked->name()] = std::move(alarm);
  }
  std::lock_guard lock(state_mutex_);
  spare_ = std::move(next);
}

}  // namespace evenkeel::engine
