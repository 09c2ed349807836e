// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/state_convert.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "control/rpc/alarm_convert.h"
#include "control/rpc/config_convert.h"
#include "control/rpc/time_convert.h"
#include "control/rpc/traffic_convert.h"
#include "control/rpc/verdict_convert.h"
#include "control/rpc/vip_convert.h"

namespace evenkeel::rpc {
namespace {

using OutcomeKind = engine::Outcome::Kind;
// Beside the overloads below, which would hide them.
using rpc::Decode;
using rpc::Encode;

void Encode(const engine::PoolStatus& pool, v1::PoolStatus* out) {
  out->set_name(pool.name);
  out->set_forwarding(ToProto(pool.forwarding));
  out->set_table_size(pool.table_size);
  out->set_table_digest(pool.table_digest);
  out->set_moving_slots(pool.moving_slots);
  out->set_moving_seconds(pool.moving_s);
  out->set_panic(pool.panic);
  for (const engine::BackendStatus& backend : pool.backends) {
    v1::BackendStatus* to = out->add_backends();
    to->set_name(backend.name);
    to->set_address(backend.address.ToString());
    to->set_state(ToProto(backend.state));
    to->set_share(backend.share);
    Encode(backend.counter, to->mutable_counter());
    to->set_problem(backend.problem);
    to->set_health(backend.health);
    to->set_held(backend.held);
    to->set_health_cause(backend.health_cause);
    if (backend.admitted != 1) to->set_admitted(backend.admitted);
    to->set_load(backend.load);
    to->set_load_after(backend.load_after);
    to->set_worst_loss(backend.worst_loss);
    if (backend.capacity) to->set_capacity(*backend.capacity);
    if (backend.health_since_unix_ns != 0) {
      SetTime(backend.health_since_unix_ns, to->mutable_health_since());
    }
  }
  if (pool.capacity_unit != model::CapacityUnit::kNone) {
    out->set_capacity_unit(ToProto(pool.capacity_unit));
  }
  for (const traffic::DomainLoad& domain : pool.domains) {
    v1::DomainStatus* to = out->add_domains();
    to->set_kind(domain.kind);
    to->set_name(domain.name);
    to->set_load(domain.load);
    if (domain.capacity) to->set_capacity(*domain.capacity);
    to->set_hottest(domain.hottest);
    to->set_use(domain.use);
  }
  out->set_no_spare(pool.no_spare);
  if (pool.distribution) Encode(*pool.distribution, out->mutable_distribution());
}

engine::PoolStatus Decode(const v1::PoolStatus& pool, Problems* problems) {
  engine::PoolStatus result;
  result.name = pool.name();
  result.forwarding = FromProto(pool.forwarding(), "pool.forwarding", problems);
  result.table_size = pool.table_size();
  result.table_digest = pool.table_digest();
  result.moving_slots = pool.moving_slots();
  result.moving_s = pool.moving_seconds();
  result.panic = pool.panic();
  for (const v1::BackendStatus& backend : pool.backends()) {
    result.backends.push_back(
        {.name = backend.name(),
         .address = AddressFromProto(backend.address(), "backend.address", problems),
         .state = FromProto(backend.state(), "backend.state", problems),
         .share = backend.share(),
         .counter = Decode(backend.counter()),
         .problem = backend.problem(),
         .health = backend.health(),
         .held = backend.held(),
         .health_cause = backend.health_cause(),
         .admitted = backend.has_admitted() ? backend.admitted() : 1,
         .load = backend.load(),
         .load_after = backend.load_after(),
         .worst_loss = backend.worst_loss(),
         .capacity = backend.has_capacity() ? std::optional(backend.capacity()) : std::nullopt,
         .health_since_unix_ns = ReadTime(backend.health_since())});
  }
  result.capacity_unit = FromProto(pool.capacity_unit(), "pool.capacity_unit", problems);
  for (const v1::DomainStatus& domain : pool.domains()) {
    result.domains.push_back(
        {.kind = domain.kind(),
         .name = domain.name(),
         .load = domain.load(),
         .capacity = domain.has_capacity() ? std::optional(domain.capacity()) : std::nullopt,
         .hottest = domain.hottest(),
         .use = domain.use()});
  }
  result.no_spare = pool.no_spare();
  if (pool.has_distribution()) {
    result.distribution = Decode(pool.name(), pool.distribution(), problems);
  }
  return result;
}

void Encode(const engine::SourceRulesStatus& rules, v1::SourceRulesStatus* out) {
  out->set_name(rules.name);
  out->set_default_(ToProto(rules.fallback));
  out->set_denied(rules.denied);
  out->set_allowed(rules.allowed);
  out->set_digest(rules.digest);
  out->set_global(rules.global);
  for (const std::string& vip : rules.vips) out->add_vips(vip);
}

engine::SourceRulesStatus Decode(const v1::SourceRulesStatus& rules, Problems* problems) {
  return {.name = rules.name(),
          .fallback = FromProto(rules.default_(), "source_rules.default", problems),
          .denied = rules.denied(),
          .allowed = rules.allowed(),
          .digest = rules.digest(),
          .global = rules.global(),
          .vips = {rules.vips().begin(), rules.vips().end()}};
}

v1::WatchResponse::Kind Encode(engine::Event::Kind kind) {
  switch (kind) {
    case engine::Event::Kind::kApplied:
      return v1::WatchResponse::APPLIED;
    case engine::Event::Kind::kRefused:
      return v1::WatchResponse::REFUSED;
    case engine::Event::Kind::kFailed:
      return v1::WatchResponse::FAILED;
    case engine::Event::Kind::kUnreachable:
      return v1::WatchResponse::UNREACHABLE;
    case engine::Event::Kind::kReachable:
      return v1::WatchResponse::REACHABLE;
    case engine::Event::Kind::kConfirmed:
      return v1::WatchResponse::CONFIRMED;
    case engine::Event::Kind::kRolledBack:
      return v1::WatchResponse::ROLLED_BACK;
    case engine::Event::Kind::kDown:
      return v1::WatchResponse::DOWN;
    case engine::Event::Kind::kUp:
      return v1::WatchResponse::UP;
    case engine::Event::Kind::kHeld:
      return v1::WatchResponse::HELD;
    case engine::Event::Kind::kFollowing:
      return v1::WatchResponse::FOLLOWING;
    case engine::Event::Kind::kNoSpare:
      return v1::WatchResponse::NO_SPARE;
    case engine::Event::Kind::kSpare:
      return v1::WatchResponse::SPARE;
    case engine::Event::Kind::kWithdrawn:
      return v1::WatchResponse::WITHDRAWN;
    case engine::Event::Kind::kAnnounced:
      return v1::WatchResponse::ANNOUNCED;
    case engine::Event::Kind::kAlarm:
      return v1::WatchResponse::ALARM;
    case engine::Event::Kind::kAlarmOver:
      return v1::WatchResponse::ALARM_OVER;
  }
  return v1::WatchResponse::KIND_UNSPECIFIED;
}

std::optional<engine::Event::Kind> Decode(v1::WatchResponse::Kind kind) {
  switch (kind) {
    case v1::WatchResponse::APPLIED:
      return engine::Event::Kind::kApplied;
    case v1::WatchResponse::REFUSED:
      return engine::Event::Kind::kRefused;
    case v1::WatchResponse::FAILED:
      return engine::Event::Kind::kFailed;
    case v1::WatchResponse::UNREACHABLE:
      return engine::Event::Kind::kUnreachable;
    case v1::WatchResponse::REACHABLE:
      return engine::Event::Kind::kReachable;
    case v1::WatchResponse::CONFIRMED:
      return engine::Event::Kind::kConfirmed;
    case v1::WatchResponse::ROLLED_BACK:
      return engine::Event::Kind::kRolledBack;
    case v1::WatchResponse::DOWN:
      return engine::Event::Kind::kDown;
    case v1::WatchResponse::UP:
      return engine::Event::Kind::kUp;
    case v1::WatchResponse::HELD:
      return engine::Event::Kind::kHeld;
    case v1::WatchResponse::FOLLOWING:
      return engine::Event::Kind::kFollowing;
    case v1::WatchResponse::NO_SPARE:
      return engine::Event::Kind::kNoSpare;
    case v1::WatchResponse::SPARE:
      return engine::Event::Kind::kSpare;
    case v1::WatchResponse::WITHDRAWN:
      return engine::Event::Kind::kWithdrawn;
    case v1::WatchResponse::ANNOUNCED:
      return engine::Event::Kind::kAnnounced;
    case v1::WatchResponse::ALARM:
      return engine::Event::Kind::kAlarm;
    case v1::WatchResponse::ALARM_OVER:
      return engine::Event::Kind::kAlarmOver;
    default:
      return std::nullopt;
  }
}

v1::Watched::State Encode(engine::Watched::State state) {
  switch (state) {
    case engine::Watched::State::kFollowing:
      return v1::Watched::FOLLOWING;
    case engine::Watched::State::kWaiting:
      return v1::Watched::WAITING;
    case engine::Watched::State::kHeld:
      break;
  }
  return v1::Watched::HELD;
}

// A state of a newer daemon is one that somebody has to look at.
engine::Watched::State Decode(v1::Watched::State state) {
  switch (state) {
    case v1::Watched::FOLLOWING:
      return engine::Watched::State::kFollowing;
    case v1::Watched::WAITING:
      return engine::Watched::State::kWaiting;
    default:
      return engine::Watched::State::kHeld;
  }
}

void Encode(const engine::Watched& watched, v1::Watched* to) {
  to->set_state(Encode(watched.state));
  to->set_path(watched.path);
  to->set_detail(watched.detail);
  SetTime(watched.since_unix_ns, to->mutable_since());
  to->set_revision(watched.revision);
}

engine::Watched Decode(const v1::Watched& watched) {
  return {.state = Decode(watched.state()),
          .path = watched.path(),
          .detail = watched.detail(),
          .since_unix_ns = ReadTime(watched.since()),
          .revision = watched.revision()};
}

// Violations and what changed: of a thousand pools mostly one, and Plan tells the rest.
guard::Verdict Essence(const guard::Verdict& verdict) {
  guard::Verdict essence;
  essence.severity = verdict.severity;
  essence.violations = verdict.violations;
  const auto changed = [](const auto& change) {
    return change.kind != guard::PoolChange::Kind::kUnchanged;
  };
  std::copy_if(verdict.pools.begin(), verdict.pools.end(), std::back_inserter(essence.pools),
               changed);
  std::copy_if(verdict.vips.begin(), verdict.vips.end(), std::back_inserter(essence.vips), changed);
  return essence;
}

}  // namespace

v1::StatusResponse ToProto(const engine::Status& status) {
  v1::StatusResponse out;
  out.set_version(status.version);
  out.set_instance(status.instance);
  SetTime(status.started_unix_ns, out.mutable_started_at());
  *out.mutable_applied() = ToProto(status.applied, false);
  out.set_kernel_digest(status.kernel_digest);
  out.set_digest_matches(status.digest_matches);
  out.set_adoption(status.adoption);
  for (const engine::InterfaceStatus& interface : status.interfaces) {
    v1::InterfaceStatus* to = out.add_interfaces();
    to->set_name(interface.name);
    to->set_mode(interface.mode);
    to->set_fallback_reason(interface.fallback_reason);
    to->set_adopted(interface.adopted);
    to->set_shared(interface.shared);
    to->set_priority(interface.priority);
  }
  for (const engine::VipStatus& vip : status.vips) Encode(vip, out.add_vips());
  for (const engine::PoolStatus& pool : status.pools) Encode(pool, out.add_pools());
  for (const engine::SourceRulesStatus& rules : status.source_rules) {
    Encode(rules, out.add_source_rules());
  }
  for (const auto& [verdict, packets] : status.verdicts) {
    v1::VerdictCount* to = out.add_verdicts();
    to->set_verdict(verdict);
    to->set_packets(packets);
  }
  for (const std::string& notice : status.notices) out.add_notices(notice);
  out.set_pinned_flows(status.pinned_flows);
  out.set_last_good(status.last_good);
  out.set_generation(status.generation);
  for (const history::Override& o : status.overrides) {
    v1::Override* added = out.add_overrides();
    added->set_revision(o.revision);
    added->set_rule(o.rule);
    added->set_reason(o.reason);
    added->set_author(o.author);
    SetTime(o.expires_unix_ns, added->mutable_expires_at());
  }
  if (status.watched) Encode(*status.watched, out.mutable_watched());
  for (const detect::Alarm& alarm : status.alarms) Encode(alarm, out.add_alarms());
  return out;
}

absl::StatusOr<engine::Status> FromProto(const v1::StatusResponse& status) {
  Problems problems;
  engine::Status result;
  result.version = status.version();
  result.instance = status.instance();
  result.started_unix_ns = ReadTime(status.started_at());
  absl::StatusOr<engine::Applied> applied = FromProto(status.applied());
  if (!applied.ok()) return applied.status();
  result.applied = *std::move(applied);
  result.kernel_digest = status.kernel_digest();
  result.digest_matches = status.digest_matches();
  result.adoption = status.adoption();
  for (const v1::InterfaceStatus& interface : status.interfaces()) {
    result.interfaces.push_back({.name = interface.name(),
                                 .mode = interface.mode(),
                                 .fallback_reason = interface.fallback_reason(),
                                 .adopted = interface.adopted(),
                                 .shared = interface.shared(),
                                 .priority = interface.priority()});
  }
  for (const v1::VipStatus& vip : status.vips()) result.vips.push_back(Decode(vip, &problems));
  for (const v1::PoolStatus& pool : status.pools()) {
    result.pools.push_back(Decode(pool, &problems));
  }
  for (const v1::SourceRulesStatus& rules : status.source_rules()) {
    result.source_rules.push_back(Decode(rules, &problems));
  }
  for (const v1::VerdictCount& count : status.verdicts()) {
    result.verdicts.emplace_back(count.verdict(), count.packets());
  }
  result.notices.assign(status.notices().begin(), status.notices().end());
  result.pinned_flows = status.pinned_flows();
  result.last_good = status.last_good();
  result.generation = status.generation();
  for (const v1::Alarm& alarm : status.alarms()) {
    result.alarms.push_back(Decode(alarm, &problems));
  }
  for (const v1::Override& o : status.overrides()) {
    result.overrides.push_back({.revision = o.revision(),
                                .rule = o.rule(),
                                .reason = o.reason(),
                                .author = o.author(),
                                .expires_unix_ns = ReadTime(o.expires_at())});
  }
  if (status.has_watched()) result.watched = Decode(status.watched());
  if (auto mismatch = Mismatch(problems); !mismatch.ok()) return mismatch;
  return result;
}

v1::WatchResponse ToProto(const engine::Event& event) {
  v1::WatchResponse out;
  SetTime(event.unix_ns, out.mutable_time());
  out.set_kind(Encode(event.kind));
  out.set_revision(event.revision);
  out.set_subject(event.subject);
  out.set_message(event.message);
  return out;
}

std::optional<engine::Event> FromProto(const v1::WatchResponse& message) {
  const std::optional<engine::Event::Kind> kind = Decode(message.kind());
  if (!kind.has_value()) return std::nullopt;
  return engine::Event{.unix_ns = ReadTime(message.time()),
                       .kind = *kind,
                       .revision = message.revision(),
                       .subject = message.subject(),
                       .message = message.message()};
}

v1::ApplyResponse ToApplyResponse(const engine::Outcome& outcome) {
  v1::ApplyResponse out;
  *out.mutable_applied() = ToProto(outcome.applied, false);
  *out.mutable_verdict() = ToProto(Essence(outcome.verdict));
  out.set_no_change(outcome.kind == OutcomeKind::kNoChange);
  out.set_validated_only(outcome.kind == OutcomeKind::kValidated);
  if (!outcome.publish.has_value()) return out;
  const publish::PublishResult& publish = *outcome.publish;
  for (const neighbor::Resolution& resolution : publish.unreachable) {
    v1::Resolution* to = out.add_unreachable();
    to->set_address(resolution.address.ToString());
    to->set_problem(resolution.problem);
    to->set_interface(resolution.interface);
  }
  out.set_generation(publish.generation);
  out.set_tables_staged(publish.tables_staged);
  out.set_probes(publish.probes);
  out.set_stage_us(static_cast<uint64_t>(publish.stage.count()));
  out.set_verify_us(static_cast<uint64_t>(publish.verify.count()));
  out.set_swap_us(static_cast<uint64_t>(publish.swap.count()));
  return out;
}

absl::StatusOr<engine::Outcome> FromProto(const v1::ApplyResponse& response) {
  engine::Outcome outcome;
  absl::StatusOr<engine::Applied> applied = FromProto(response.applied());
  if (!applied.ok()) return applied.status();
  outcome.applied = *std::move(applied);
  absl::StatusOr<guard::Verdict> verdict = FromProto(response.verdict());
  if (!verdict.ok()) return verdict.status();
  outcome.verdict = *std::move(verdict);
  outcome.kind = response.no_change()        ? OutcomeKind::kNoChange
                 : response.validated_only() ? OutcomeKind::kValidated
                                             : OutcomeKind::kApplied;
  if (outcome.kind != OutcomeKind::kApplied) return outcome;
  Problems problems;
  publish::PublishResult publish;
  for (const v1::Resolution& unreachable : response.unreachable()) {
    neighbor::Resolution resolution;
    resolution.address = AddressFromProto(unreachable.address(), "unreachable.address", &problems);
    resolution.problem = unreachable.problem();
    resolution.interface = unreachable.interface();
    publish.unreachable.push_back(std::move(resolution));
  }
  publish.generation = response.generation();
  publish.tables_staged = response.tables_staged();
  publish.probes = response.probes();
  publish.stage = std::chrono::microseconds(response.stage_us());
  publish.verify = std::chrono::microseconds(response.verify_us());
  publish.swap = std::chrono::microseconds(response.swap_us());
  outcome.publish = std::move(publish);
  if (auto status = Mismatch(problems); !status.ok()) return status;
  return outcome;
}

absl::StatusOr<engine::Outcome> FromProto(const v1::ConfirmResponse& response) {
  engine::Outcome outcome;
  absl::StatusOr<engine::Applied> applied = FromProto(response.applied());
  if (!applied.ok()) return applied.status();
  outcome.kind = OutcomeKind::kConfirmed;
  outcome.applied = *std::move(applied);
  return outcome;
}

v1::PlanResponse ToPlanResponse(const engine::Outcome& outcome) {
  v1::PlanResponse out;
  *out.mutable_verdict() = ToProto(outcome.verdict);
  out.set_etag(outcome.applied.etag);
  out.set_revision(outcome.applied.revision);
  out.set_no_change(outcome.kind == OutcomeKind::kNoChange);
  *out.mutable_applied() = ToProto(outcome.applied, false);
  if (outcome.live_traffic) *out.mutable_live_traffic() = ToProto(*outcome.live_traffic);
  return out;
}

absl::StatusOr<engine::Outcome> FromProto(const v1::PlanResponse& response) {
  engine::Outcome outcome;
  absl::StatusOr<guard::Verdict> verdict = FromProto(response.verdict());
  if (!verdict.ok()) return verdict.status();
  outcome.verdict = *std::move(verdict);
  absl::StatusOr<engine::Applied> applied = FromProto(response.applied());
  if (!applied.ok()) return applied.status();
  outcome.applied = *std::move(applied);
  outcome.kind = response.no_change()        ? OutcomeKind::kNoChange
                 : outcome.verdict.refused() ? OutcomeKind::kRefused
                                             : OutcomeKind::kValidated;
  if (response.has_live_traffic()) outcome.live_traffic = FromProto(response.live_traffic());
  return outcome;
}

}  // namespace evenkeel::rpc
