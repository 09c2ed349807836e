// SPDX-License-Identifier: Apache-2.0
//
// WatchDrain: what the kernel still sends to a server, joined with what is in force.
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/engine/drain.h"
#include "control/engine/edit.h"
#include "control/engine/local_engine.h"

namespace evenkeel::engine {
namespace {

constexpr std::chrono::milliseconds kStep{1000};
constexpr std::chrono::milliseconds kLook{100};
// All who wait share a reading of the counters.
constexpr int64_t kShared = 900'000'000;

// The query with its pool named.
absl::StatusOr<DrainQuery> Resolve(DrainQuery query, const guard::BuiltFleet& desired) {
  if (query.quiet < std::chrono::seconds(0) || query.quiet > kMaxQuiet) {
    return absl::InvalidArgumentError("quiet is to be from 1 s to 24 h, or 0");
  }
  const Edited edited = ApplyEdit(
      {.pool = query.pool, .backend = query.backend, .state = model::AdminState::kDraining},
      desired);
  if (!edited.pool) {
    const model::Diagnostic& wrong = edited.diagnostics.front();
    return absl::NotFoundError(
        absl::StrCat(absl::StripPrefix(wrong.field, "edit."), " ", wrong.message));
  }
  query.pool = edited.pool->name;
  return query;
}

}  // namespace

DrainPlace LocalEngine::FindDrainPlace(const guard::BuiltPool& pool, const model::Backend& backend,
                                       const std::vector<publish::ServerUse>& uses) const {
  DrainPlace place{.pool = pool.name(),
                   .backend = backend.name,
                   .state = backend.state,
                   .serving = backend.serving()};
  for (const publish::ServerUse& use : uses) {
    if (use.pool != pool.name()) continue;
    place.known = use.known;
    place.slots = use.slots;
    place.held_slots = use.held_slots;
    place.used_slots = use.used_slots;
    place.pinned_flows = use.pinned;
    place.tracked = use.tracked;
    place.by_id = use.by_id;
  }
  if (const auto flow = drains_.Find(pool.name(), backend.address)) {
    place.packets = flow->packets;
    place.packets_per_s = flow->packets_per_s;
    place.idle = flow->idle;
  }
  return place;
}

absl::StatusOr<DrainProgress> LocalEngine::ReadDrain(const DrainQuery& query) {
  if (auto status = SampleTraffic(kShared); !status.ok()) {
    return absl::UnavailableError(absl::StrCat("counters cannot be read: ", status.message()));
  }
  const std::shared_ptr<const State> state = Snapshot();
  const guard::BuiltPool* pool = state->desired->FindPool(query.pool);
  const model::Backend* backend =
      pool != nullptr ? pool->config.FindBackend(query.backend) : nullptr;
  if (backend == nullptr) {
    return absl::NotFoundError(
        absl::StrCat(query.backend, " is not in pool ", query.pool, " any more"));
  }
  DrainProgress progress{.unix_ns = deps_.now_unix_ns(), .address = backend->address};
  const std::vector<publish::ServerUse> uses = deps_.kernel->UsesOf(backend->address);
  progress.places.push_back(FindDrainPlace(*pool, *backend, uses));
  for (const auto& other : state->desired->pools) {
    if (other->name() == query.pool) continue;
    for (const model::Backend& twin : other->config.backends) {
      if (twin.address == backend->address) {
        progress.places.push_back(FindDrainPlace(*other, twin, uses));
      }
    }
  }
  // What packets see is not what is in force: an update is under way, or failed.
  if (state->kernel != state->intended) {
    for (DrainPlace& place : progress.places) place.known = false;
  }
  JudgeDrain(query.quiet, deps_.kernel->flow_idle_timeout(), &progress);
  return progress;
}

absl::Status LocalEngine::WatchDrain(const DrainQuery& query, const DrainSink& sink) {
  const absl::StatusOr<DrainQuery> resolved = Resolve(query, *Snapshot()->desired);
  if (!resolved.ok()) return resolved.status();
  while (true) {
    const absl::StatusOr<DrainProgress> progress = ReadDrain(*resolved);
    if (!progress.ok()) return progress.status();
    if (!sink(&*progress) || progress->last()) return absl::OkStatus();
    for (std::chrono::milliseconds waited{0}; waited < kStep; waited += kLook) {
      if (deps_.pause) {
        deps_.pause(kLook);
      } else {
        std::this_thread::sleep_for(kLook);
      }
      if (!sink(nullptr)) return absl::OkStatus();
    }
  }
}

}  // namespace evenkeel::engine
