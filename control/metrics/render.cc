// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/render.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "control/metrics/metric_list.h"

namespace evenkeel::metrics {
namespace {

using Labels = std::vector<std::string>;

double UnixSeconds(int64_t unix_ns) { return static_cast<double>(unix_ns) / 1e9; }

class Families {
 public:
  Families() {
    for (const Metric& metric : MetricList()) {
      prometheus::MetricFamily& family = families_.emplace_back();
      family.name = std::string(metric.name);
      family.help = std::string(metric.help);
      family.type = metric.type == Type::kCounter     ? prometheus::MetricType::Counter
                    : metric.type == Type::kHistogram ? prometheus::MetricType::Histogram
                                                      : prometheus::MetricType::Gauge;
      labels_.push_back(absl::StrSplit(metric.labels, ' ', absl::SkipEmpty()));
    }
  }

  // The values of the labels, in the order of the list.
  void Set(Id id, const Labels& values, double value) {
    prometheus::ClientMetric& metric = Add(id, values);
    if (Find(id).type == Type::kCounter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }
  void Set(Id id, const Labels& values, uint64_t value) {
    Set(id, values, static_cast<double>(value));
  }
  void Set(Id id, const Labels& values, bool value) { Set(id, values, value ? 1.0 : 0.0); }

  void Set(Id id, const Labels& values, const Durations& durations) {
    prometheus::ClientMetric::Histogram& to = Add(id, values).histogram;
    to.sample_count = durations.count;
    to.sample_sum = durations.sum;
    for (size_t i = 0; i < Durations::kBounds.size(); ++i) {
      to.bucket.push_back({durations.up_to[i], Durations::kBounds[i]});
    }
    to.bucket.push_back({durations.count, std::numeric_limits<double>::infinity()});
  }

  // Without those that have no series now.
  std::vector<prometheus::MetricFamily> Take() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return std::move(families_);
  }

 private:
  prometheus::ClientMetric& Add(Id id, const Labels& values) {
    const size_t i = static_cast<size_t>(id);
    assert(values.size() == labels_[i].size());
    prometheus::ClientMetric& metric = families_[i].metric.emplace_back();
    for (size_t j = 0; j < values.size(); ++j) metric.label.push_back({labels_[i][j], values[j]});
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
  std::vector<Labels> labels_;
};

void AddState(const engine::Status& status, int64_t now_unix_ns, Families* to) {
  const engine::Applied& applied = status.applied;
  to->Set(Id::kBuildInfo, {status.version, status.instance}, true);
  to->Set(Id::kStartTime, {}, UnixSeconds(status.started_unix_ns));
  to->Set(Id::kRevision, {}, applied.revision);
  to->Set(Id::kLastGoodRevision, {}, status.last_good);
  to->Set(Id::kGeneration, {}, uint64_t{status.generation});
  to->Set(Id::kAppliedTime, {}, UnixSeconds(applied.applied_unix_ns));
  to->Set(
      Id::kPending, {},
      applied.awaits() ? std::max(0.0, UnixSeconds(applied.deadline_unix_ns - now_unix_ns)) : 0.0);
  to->Set(Id::kDigestMismatch, {}, !status.digest_matches);
  to->Set(Id::kPinnedFlows, {}, status.pinned_flows);
  to->Set(Id::kNotices, {}, uint64_t{status.notices.size()});
  if (status.watched) {
    to->Set(Id::kWatchedHeld, {}, status.watched->state == engine::Watched::State::kHeld);
  }
  for (const engine::InterfaceStatus& i : status.interfaces) {
    to->Set(Id::kInterfaceInfo, {i.name, i.mode, i.shared ? "true" : "false"}, true);
  }
}

void AddChanges(const engine::Status& status, const Tallies::Snapshot& tallies, Families* to) {
  for (const auto& [outcome, count] : tallies.changes) to->Set(Id::kChanges, {outcome}, count);
  for (const auto& [key, count] : tallies.violations) {
    to->Set(Id::kViolations, {key.first, key.second}, count);
  }
  std::map<std::string, uint64_t> active;
  for (const auto& [rule, count] : tallies.overrides) {
    to->Set(Id::kOverrides, {rule}, count);
    active[rule] = 0;
  }
  for (const history::Override& o : status.overrides) ++active[o.rule];
  for (const auto& [rule, count] : active) to->Set(Id::kOverridesActive, {rule}, count);
  for (const auto& [phase, durations] : tallies.publications) {
    to->Set(Id::kPublishDuration, {phase}, durations);
  }
  to->Set(Id::kPublishFailures, {}, tallies.publish_failures);
}

void AddVip(const engine::VipStatus& vip, Families* to) {
  const std::string& name = vip.vip.name;
  to->Set(Id::kVipInfo,
          {name, vip.vip.address.ToString(), absl::StrCat(vip.vip.port),
           std::string(model::ToString(vip.vip.protocol)), vip.vip.pool},
          true);
  to->Set(Id::kVipPackets, {name}, vip.counter.packets);
  to->Set(Id::kVipBytes, {name}, vip.counter.bytes);
  to->Set(Id::kVipNewFlows, {name}, vip.counter.new_flows);
  to->Set(Id::kVipDrops, {name}, vip.counter.drops);
  if (vip.advertised) to->Set(Id::kVipAdvertised, {name}, vip.advertised->routed);
}

const detect::ServerShares* SharesOf(const engine::PoolStatus& pool,
                                     const engine::BackendStatus& backend) {
  if (!pool.distribution) return nullptr;
  for (const detect::ServerShares& server : pool.distribution->servers) {
    if (server.address == backend.address) return &server;
  }
  return nullptr;
}

void AddBackend(const engine::PoolStatus& pool, const engine::BackendStatus& backend,
                Families* to) {
  const Labels labels = {pool.name, backend.name};
  to->Set(Id::kBackendPackets, labels, backend.counter.packets);
  to->Set(Id::kBackendBytes, labels, backend.counter.bytes);
  to->Set(Id::kBackendNewFlows, labels, backend.counter.new_flows);
  to->Set(Id::kBackendTable, labels, backend.share);
  to->Set(Id::kBackendAdmitted, labels, backend.admitted);
  to->Set(Id::kBackendReachable, labels, backend.problem.empty());
  to->Set(Id::kBackendHeld, labels, backend.held);
  if (backend.health == "up" || backend.health == "down") {
    to->Set(Id::kBackendHealthy, labels, backend.health == "up");
  }
  if (backend.capacity && *backend.capacity > 0) {
    to->Set(Id::kBackendLoad, labels, backend.load / *backend.capacity);
  }
  const detect::ServerShares* shares = SharesOf(pool, backend);
  to->Set(Id::kBackendExpected, labels, shares != nullptr ? shares->intended : backend.share);
  if (shares == nullptr) return;
  to->Set(Id::kBackendObserved, labels, shares->flows);
  if (shares->sufficient) to->Set(Id::kBackendSkew, labels, shares->ratio);
}

void AddPool(const engine::PoolStatus& pool, const PoolTotals& totals, Families* to) {
  const Labels labels = {pool.name};
  if (const auto total = totals.totals().find(pool.name); total != totals.totals().end()) {
    to->Set(Id::kPoolPackets, labels, total->second.packets);
    to->Set(Id::kPoolBytes, labels, total->second.bytes);
    to->Set(Id::kPoolNewFlows, labels, total->second.new_flows);
  }
  to->Set(Id::kPoolSlots, labels, uint64_t{pool.table_size});
  to->Set(Id::kPoolMovingSlots, labels, uint64_t{pool.moving_slots});
  to->Set(Id::kPoolPanic, labels, !pool.panic.empty());
  to->Set(Id::kPoolNoSpare, labels, !pool.no_spare.empty());
  if (pool.distribution) {
    const detect::PoolReport& report = *pool.distribution;
    if (report.verdict != detect::Verdict::kInsufficient) {
      to->Set(Id::kPoolMatches, labels, report.verdict == detect::Verdict::kMatches);
    }
    const detect::LinkReport& kernel = report.links[static_cast<size_t>(detect::Link::kKernel)];
    to->Set(Id::kPoolDigestMismatch, labels, kernel.state == detect::LinkState::kBroken);
    double skew = -1;
    for (const detect::ServerShares& server : report.servers) {
      if (server.sufficient) skew = std::max(skew, server.ratio);
    }
    if (skew >= 0) to->Set(Id::kPoolSkew, labels, skew);
  }
  for (const engine::BackendStatus& backend : pool.backends) AddBackend(pool, backend, to);
}

void AddPackets(const engine::Status& status, Families* to) {
  for (const auto& [name, packets] : status.verdicts) {
    absl::string_view reason = name;
    if (absl::ConsumePrefix(&reason, "drop_")) {
      to->Set(Id::kDropped, {std::string(reason)}, packets);
    } else if (absl::ConsumePrefix(&reason, "pass_")) {
      to->Set(Id::kPassed, {std::string(reason)}, packets);
    } else if (absl::ConsumePrefix(&reason, "reply_")) {
      to->Set(Id::kReplies, {std::string(reason)}, packets);
    }
  }
}

void AddAlarms(const engine::Status& status, const Tallies::Snapshot& tallies, Families* to) {
  std::map<std::string, uint64_t> open, waiting;
  for (const auto& [severity, raised] : tallies.alarms) {
    to->Set(Id::kAlarmsRaised, {severity}, raised);
    open[severity] = waiting[severity] = 0;
  }
  for (const detect::Alarm& alarm : status.alarms) {
    const std::string severity(detect::ToString(alarm.severity));
    ++open[severity];
    waiting[severity] += !alarm.acknowledged;
    to->Set(Id::kAlarmActive,
            {alarm.pool, alarm.name, std::string(detect::ToString(alarm.kind)), severity,
             std::string(detect::ToString(alarm.diagnosis))},
            true);
  }
  for (const auto& [severity, count] : open) to->Set(Id::kAlarms, {severity}, count);
  for (const auto& [severity, count] : waiting) {
    to->Set(Id::kAlarmsUnacknowledged, {severity}, count);
  }
}

}  // namespace

std::string Render(const engine::Status& status, const PoolTotals& totals,
                   const Tallies::Snapshot& tallies, const ProcessUse& process, int64_t now_unix_ns,
                   double collect_s) {
  Families families;
  AddState(status, now_unix_ns, &families);
  AddChanges(status, tallies, &families);
  for (const engine::VipStatus& vip : status.vips) AddVip(vip, &families);
  for (const engine::PoolStatus& pool : status.pools) AddPool(pool, totals, &families);
  AddPackets(status, &families);
  AddAlarms(status, tallies, &families);
  if (tallies.last_tick_unix_ns != 0) {
    families.Set(Id::kDetectorTick, {}, UnixSeconds(tallies.last_tick_unix_ns));
  }
  families.Set(Id::kDetectorTicks, {}, tallies.ticks.count);
  families.Set(Id::kDetectorTickDuration, {}, tallies.ticks);
  families.Set(Id::kCollectDuration, {}, collect_s);
  families.Set(Id::kResidentMemory, {}, process.resident_bytes);
  families.Set(Id::kCpu, {}, process.cpu_s);
  return prometheus::TextSerializer().Serialize(families.Take());
}

}  // namespace evenkeel::metrics
