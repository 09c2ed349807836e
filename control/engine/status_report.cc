// SPDX-License-Identifier: Apache-2.0
//
// GetStatus: the state in force joined with what the kernel counts and can reach.
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/engine/alarm_text.h"
#include "control/engine/local_engine.h"

namespace evenkeel::engine {
namespace {

// Share of the pool's slots by server.
std::map<model::IpAddress, double> Shares(const guard::BuiltTable& table) {
  std::map<model::IpAddress, double> shares;
  const std::vector<uint32_t> slots = table.CountSlots();
  for (size_t i = 0; i < table.servers.size() && i < slots.size(); ++i) {
    shares[table.servers[i]] = static_cast<double>(slots[i]) / static_cast<double>(table.size);
  }
  return shares;
}

PoolStatus DescribePool(const model::Pool& pool, const guard::BuiltPool* built,
                        const health::Admission& admission, const neighbor::Resolver* resolver) {
  PoolStatus status;
  status.name = pool.name;
  status.forwarding = pool.forwarding;
  status.table_size = pool.table_size;
  std::map<model::IpAddress, double> shares;
  if (built != nullptr) {
    status.table_digest = built->digest.ToHex();
    shares = Shares(*built->table);
  }
  for (const model::Backend& backend : pool.backends) {
    BackendStatus row;
    row.name = backend.name;
    row.address = backend.address;
    row.state = backend.state;
    if (backend.serving() && shares.contains(backend.address)) row.share = shares[backend.address];
    if (backend.serving()) {
      row.admitted = health::Admitted(admission, pool.name, backend.address) /
                     static_cast<double>(health::kWhole);
    }
    // Who serves nothing is not followed by the resolver.
    if (backend.serving() && resolver != nullptr) {
      row.problem = resolver->Get(backend.address).problem;
    }
    status.backends.push_back(std::move(row));
  }
  return status;
}

void AddCounters(const publish::CounterReport& report, Status* status) {
  std::map<std::string, dataplane::Counter> by_vip;
  for (const publish::VipCounters& vip : report.vips) by_vip[vip.vip] = vip.counter;
  std::map<std::pair<std::string, std::string>, dataplane::Counter> by_backend;
  for (const publish::BackendCounters& backend : report.backends) {
    by_backend[{backend.pool, backend.backend}] = backend.counter;
  }
  for (VipStatus& vip : status->vips) vip.counter = by_vip[vip.vip.name];
  for (PoolStatus& pool : status->pools) {
    for (BackendStatus& backend : pool.backends) {
      backend.counter = by_backend[{pool.name, backend.name}];
    }
  }
  status->verdicts = report.verdicts;
  status->generation = report.generation;
}

SourceRulesStatus DescribeRules(const guard::BuiltRules& rules, const guard::BuiltFleet& fleet) {
  SourceRulesStatus status;
  status.name = rules.name();
  status.fallback = rules.config.fallback;
  status.denied = rules.config.deny.size();
  status.allowed = rules.config.allow.size();
  status.global = fleet.global_source_rules == rules.name();
  for (const model::Vip& vip : fleet.vips) {
    if (vip.source_rules == rules.name()) status.vips.push_back(vip.name);
  }
  const bool used = !status.vips.empty() || (status.global && !fleet.vips.empty());
  if (used) status.digest = rules.digest.ToHex();
  return status;
}

}  // namespace

void LocalEngine::FillTraffic(const State& state, Status* status) {
  for (const model::Vip& vip : state.desired->vips) {
    status->vips.push_back({.vip = vip, .counter = {}});
  }
  for (const auto& pool : state.desired->pools) {
    const guard::BuiltPool* built =
        state.kernel != nullptr ? state.kernel->FindPool(pool->name()) : nullptr;
    status->pools.push_back(DescribePool(pool->config, built, state.admission, deps_.resolver));
  }
  for (const auto& rules : state.desired->source_rules) {
    status->source_rules.push_back(DescribeRules(*rules, *state.desired));
  }
  FillLoads(state, status);
  const publish::TrackingReport tracking = deps_.kernel->Tracking();
  status->pinned_flows = tracking.pinned;
  std::map<std::string, const publish::TrackingReport::Pool*> moving;
  for (const publish::TrackingReport::Pool& pool : tracking.pools) moving[pool.pool] = &pool;
  for (PoolStatus& pool : status->pools) {
    const auto found = moving.find(pool.name);
    if (found == moving.end()) continue;
    pool.moving_slots = found->second->moving;
    pool.moving_s = static_cast<uint32_t>(found->second->age.count());
  }
  absl::StatusOr<publish::CounterReport> counters = deps_.kernel->ReadCounters();
  if (counters.ok()) {
    AddCounters(*counters, status);
  } else {
    status->notices.push_back(
        absl::StrCat("counters cannot be read: ", counters.status().message()));
  }
}

bool LocalEngine::CompareKernel(const State& state, Status* status) {
  const absl::StatusOr<publish::KernelState> kernel = deps_.kernel->ReadKernelState();
  status->kernel_digest = kernel.ok() ? kernel->digest.ToHex() : "";
  if (absl::IsNotFound(kernel.status())) {
    status->digest_matches = state.applied.revision == 0;
  } else if (!kernel.ok()) {
    status->digest_matches = false;
    status->notices.push_back(
        absl::StrCat("the kernel's state cannot be read back: ", kernel.status().message()));
  } else {
    status->digest_matches =
        state.applied.revision != 0 && kernel->digest == state.intended->digest;
  }
  return status->digest_matches || (!kernel.ok() && !absl::IsNotFound(kernel.status()));
}

absl::StatusOr<Status> LocalEngine::GetStatus(StatusDepth depth) {
  Status status;
  std::shared_ptr<const State> state = Snapshot();
  const bool full = depth == StatusDepth::kFull || !deps_.describe_detection;
  if (full && !CompareKernel(*state, &status)) {
    // An Apply may stand between its swap and its end: look again when none is running.
    std::lock_guard serial(apply_mutex_);
    state = Snapshot();
    if (!CompareKernel(*state, &status)) {
      status.notices.push_back(
          "the kernel forwards with another state than the one in force; restart evenkeeld to "
          "restore it");
    }
  }
  status.version = deps_.version;
  status.instance = deps_.instance;
  status.started_unix_ns = started_unix_ns_;
  status.applied = state->applied;
  if (auto overrides = deps_.history->Overrides(deps_.now_unix_ns()); overrides.ok()) {
    status.overrides = *std::move(overrides);
  } else {
    status.notices.push_back(
        absl::StrCat("overrides cannot be read: ", overrides.status().message()));
  }
  if (deps_.interfaces) status.interfaces = deps_.interfaces();
  FillTraffic(*state, &status);
  if (deps_.describe_health) deps_.describe_health(&status);
  if (deps_.describe_detection) deps_.describe_detection(depth, &status);
  if (deps_.describe_advertising) deps_.describe_advertising(&status);
  std::lock_guard lock(state_mutex_);
  status.adoption = adoption_;
  status.last_good = last_good_;
  status.watched = watched_;
  for (const auto& [key, text] : notices_) status.notices.push_back(text);
  return status;
}

absl::StatusOr<std::vector<detect::Alarm>> LocalEngine::Acknowledge(
    const Acknowledgement& request) {
  if (!deps_.acknowledge) return absl::FailedPreconditionError("this daemon detects nothing");
  return deps_.acknowledge(request);
}

void LocalEngine::ReportAlarm(const detect::AlarmEvent& event) {
  const bool over = event.what == detect::AlarmEvent::What::kCleared;
  Emit(over ? Event::Kind::kAlarmOver : Event::Kind::kAlarm, event.alarm.revision, event.alarm.id,
       AlarmLine(event));
}

}  // namespace evenkeel::engine
