// SPDX-License-Identifier: Apache-2.0
//
// One family after the other, each written before the next is gathered: with thousands of pools
// the series together would take a hundred times the memory of the largest family.
#include "control/metrics/render.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "control/metrics/metric_list.h"

namespace evenkeel::metrics {
namespace {

using Labels = std::vector<std::string>;

double UnixSeconds(int64_t unix_ns) { return static_cast<double>(unix_ns) / 1e9; }
double Count(uint64_t count) { return static_cast<double>(count); }
double Flag(bool flag) { return flag ? 1 : 0; }

// The series of one metric.
class Family {
 public:
  explicit Family(Id id)
      : metric_(Find(id)), labels_(absl::StrSplit(metric_.labels, ' ', absl::SkipEmpty())) {
    family_.name = std::string(metric_.name);
    family_.help = std::string(metric_.help);
    family_.type = metric_.type == Type::kCounter     ? prometheus::MetricType::Counter
                   : metric_.type == Type::kHistogram ? prometheus::MetricType::Histogram
                                                      : prometheus::MetricType::Gauge;
  }

  // The values of the labels, in the order of the list.
  void Add(const Labels& values, double value) {
    prometheus::ClientMetric& series = AddSeries(values);
    if (metric_.type == Type::kCounter) {
      series.counter.value = value;
    } else {
      series.gauge.value = value;
    }
  }

  void Add(const Labels& values, const Durations& durations) {
    prometheus::ClientMetric::Histogram& to = AddSeries(values).histogram;
    to.sample_count = durations.count;
    to.sample_sum = durations.sum;
    for (size_t i = 0; i < Durations::kBounds.size(); ++i) {
      to.bucket.push_back({durations.up_to[i], Durations::kBounds[i]});
    }
    to.bucket.push_back({durations.count, std::numeric_limits<double>::infinity()});
  }

  // Nothing where it has no series now.
  void WriteTo(std::ostream& out) const {
    if (!family_.metric.empty()) prometheus::TextSerializer().Serialize(out, {family_});
  }

 private:
  prometheus::ClientMetric& AddSeries(const Labels& values) {
    assert(values.size() == labels_.size());
    prometheus::ClientMetric& series = family_.metric.emplace_back();
    for (size_t i = 0; i < values.size(); ++i) series.label.push_back({labels_[i], values[i]});
    return series;
  }

  const Metric& metric_;
  const Labels labels_;
  prometheus::MetricFamily family_;
};

// A pool or backend, and what is exposed of it; nothing: it has no such series.
template <typename Subject>
struct Column {
  Id id;
  std::optional<double> (*value)(const Subject&);
};

struct VipView {
  const engine::VipStatus& vip;
};

struct PoolView {
  const engine::PoolStatus& pool;
  const dataplane::Counter* total;  // null: not known yet
};

struct BackendView {
  const engine::PoolStatus& pool;
  const engine::BackendStatus& backend;
  const detect::ServerShares* shares;  // null: not looked at
};

constexpr Column<VipView> kVipColumns[] = {
    {Id::kVipPackets,
     [](auto& v) -> std::optional<double> { return Count(v.vip.counter.packets); }},
    {Id::kVipBytes, [](auto& v) -> std::optional<double> { return Count(v.vip.counter.bytes); }},
    {Id::kVipNewFlows,
     [](auto& v) -> std::optional<double> { return Count(v.vip.counter.new_flows); }},
    {Id::kVipDrops, [](auto& v) -> std::optional<double> { return Count(v.vip.counter.drops); }},
    {Id::kVipAdvertised,
     [](auto& v) -> std::optional<double> {
       if (!v.vip.advertised) return std::nullopt;
       return Flag(v.vip.advertised->routed);
     }},
};

std::optional<double> SkewOf(const PoolView& v) {
  std::optional<double> skew;
  if (!v.pool.distribution) return skew;
  for (const detect::ServerShares& server : v.pool.distribution->servers) {
    if (server.sufficient) skew = std::max(skew.value_or(0), server.ratio);
  }
  return skew;
}

std::optional<double> MatchesOf(const PoolView& v) {
  if (!v.pool.distribution) return std::nullopt;
  const detect::Verdict verdict = v.pool.distribution->verdict;
  if (verdict == detect::Verdict::kInsufficient) return std::nullopt;
  return Flag(verdict == detect::Verdict::kMatches);
}

std::optional<double> MismatchOf(const PoolView& v) {
  if (!v.pool.distribution) return std::nullopt;
  const auto& kernel = v.pool.distribution->links[static_cast<size_t>(detect::Link::kKernel)];
  return Flag(kernel.state == detect::LinkState::kBroken);
}

template <uint64_t dataplane::Counter::*member>
std::optional<double> TotalOf(const PoolView& v) {
  if (v.total == nullptr) return std::nullopt;
  return Count(v.total->*member);
}

constexpr Column<PoolView> kPoolColumns[] = {
    {Id::kPoolPackets, TotalOf<&dataplane::Counter::packets>},
    {Id::kPoolBytes, TotalOf<&dataplane::Counter::bytes>},
    {Id::kPoolNewFlows, TotalOf<&dataplane::Counter::new_flows>},
    {Id::kPoolSlots, [](auto& v) -> std::optional<double> { return v.pool.table_size; }},
    {Id::kPoolMovingSlots, [](auto& v) -> std::optional<double> { return v.pool.moving_slots; }},
    {Id::kPoolSkew, SkewOf},
    {Id::kPoolMatches, MatchesOf},
    {Id::kPoolDigestMismatch, MismatchOf},
    {Id::kPoolPanic, [](auto& v) -> std::optional<double> { return Flag(!v.pool.panic.empty()); }},
    {Id::kPoolNoSpare,
     [](auto& v) -> std::optional<double> { return Flag(!v.pool.no_spare.empty()); }},
};

std::optional<double> HealthyOf(const BackendView& v) {
  if (v.backend.health != "up" && v.backend.health != "down") return std::nullopt;
  return Flag(v.backend.health == "up");
}

std::optional<double> LoadOf(const BackendView& v) {
  if (!v.backend.capacity || *v.backend.capacity <= 0) return std::nullopt;
  return v.backend.load / *v.backend.capacity;
}

std::optional<double> ObservedOf(const BackendView& v) {
  if (v.shares == nullptr) return std::nullopt;
  return v.shares->flows;
}

std::optional<double> BackendSkewOf(const BackendView& v) {
  if (v.shares == nullptr || !v.shares->sufficient) return std::nullopt;
  return v.shares->ratio;
}

constexpr Column<BackendView> kBackendColumns[] = {
    {Id::kBackendPackets,
     [](auto& v) -> std::optional<double> { return Count(v.backend.counter.packets); }},
    {Id::kBackendBytes,
     [](auto& v) -> std::optional<double> { return Count(v.backend.counter.bytes); }},
    {Id::kBackendNewFlows,
     [](auto& v) -> std::optional<double> { return Count(v.backend.counter.new_flows); }},
    {Id::kBackendExpected,
     [](auto& v) -> std::optional<double> {
       return v.shares != nullptr ? v.shares->intended : v.backend.share;
     }},
    {Id::kBackendTable, [](auto& v) -> std::optional<double> { return v.backend.share; }},
    {Id::kBackendObserved, ObservedOf},
    {Id::kBackendSkew, BackendSkewOf},
    {Id::kBackendHealthy, HealthyOf},
    {Id::kBackendHeld, [](auto& v) -> std::optional<double> { return Flag(v.backend.held); }},
    {Id::kBackendAdmitted, [](auto& v) -> std::optional<double> { return v.backend.admitted; }},
    {Id::kBackendReachable,
     [](auto& v) -> std::optional<double> { return Flag(v.backend.problem.empty()); }},
    {Id::kBackendLoad, LoadOf},
};

class Writer {
 public:
  // `fill` adds the series of the metric.
  template <typename F>
  void Write(Id id, const F& fill) {
    Family family(id);
    fill(family);
    family.WriteTo(out_);
  }
  void Write(Id id, double value) {
    Write(id, [&](Family& family) { family.Add({}, value); });
  }
  // Of each subject with its labels.
  template <typename Subject, size_t n>
  void Write(const Column<Subject> (&columns)[n],
             const std::vector<std::pair<Labels, Subject>>& subjects) {
    for (const Column<Subject>& column : columns) {
      Write(column.id, [&](Family& family) {
        for (const auto& [labels, subject] : subjects) {
          if (const auto value = column.value(subject)) family.Add(labels, *value);
        }
      });
    }
  }

  std::string Take() { return std::move(out_).str(); }

 private:
  std::ostringstream out_;
};

void WriteState(const engine::Status& status, int64_t now_unix_ns, Writer* to) {
  const engine::Applied& applied = status.applied;
  to->Write(Id::kBuildInfo, [&](Family& f) { f.Add({status.version, status.instance}, 1); });
  to->Write(Id::kStartTime, UnixSeconds(status.started_unix_ns));
  to->Write(Id::kRevision, Count(applied.revision));
  to->Write(Id::kLastGoodRevision, Count(status.last_good));
  to->Write(Id::kGeneration, Count(status.generation));
  to->Write(Id::kAppliedTime, UnixSeconds(applied.applied_unix_ns));
  to->Write(Id::kPending, applied.awaits()
                              ? std::max(0.0, UnixSeconds(applied.deadline_unix_ns - now_unix_ns))
                              : 0.0);
  to->Write(Id::kDigestMismatch, Flag(!status.digest_matches));
  to->Write(Id::kPinnedFlows, Count(status.pinned_flows));
  to->Write(Id::kNotices, Count(status.notices.size()));
  if (status.watched) {
    to->Write(Id::kWatchedHeld, Flag(status.watched->state == engine::Watched::State::kHeld));
  }
  to->Write(Id::kInterfaceInfo, [&](Family& f) {
    for (const engine::InterfaceStatus& i : status.interfaces) {
      f.Add({i.name, i.mode, i.shared ? "true" : "false"}, 1);
    }
  });
}

void WriteChanges(const engine::Status& status, const Tallies::Snapshot& tallies, Writer* to) {
  const auto by_name = [](const std::map<std::string, uint64_t>& counts) {
    return [&counts](Family& f) {
      for (const auto& [name, count] : counts) f.Add({name}, Count(count));
    };
  };
  to->Write(Id::kChanges, by_name(tallies.changes));
  to->Write(Id::kViolations, [&](Family& f) {
    for (const auto& [key, count] : tallies.violations) {
      f.Add({key.first, key.second}, Count(count));
    }
  });
  to->Write(Id::kOverrides, by_name(tallies.overrides));
  std::map<std::string, uint64_t> active;
  for (const auto& [rule, count] : tallies.overrides) active[rule] = 0;
  for (const history::Override& o : status.overrides) ++active[o.rule];
  to->Write(Id::kOverridesActive, by_name(active));
  to->Write(Id::kPublishDuration, [&](Family& f) {
    for (const auto& [phase, durations] : tallies.publications) f.Add({phase}, durations);
  });
  to->Write(Id::kPublishFailures, Count(tallies.publish_failures));
}

void WriteVips(const engine::Status& status, Writer* to) {
  std::vector<std::pair<Labels, VipView>> vips;
  for (const engine::VipStatus& vip : status.vips) {
    vips.emplace_back(Labels{vip.vip.name}, VipView{.vip = vip});
  }
  to->Write(Id::kVipInfo, [&](Family& f) {
    for (const engine::VipStatus& v : status.vips) {
      f.Add({v.vip.name, v.vip.address.ToString(), absl::StrCat(v.vip.port),
             std::string(model::ToString(v.vip.protocol)), v.vip.pool},
            1);
    }
  });
  to->Write(kVipColumns, vips);
}

void WritePools(const engine::Status& status, const PoolTotals& totals, Writer* to) {
  std::vector<std::pair<Labels, PoolView>> pools;
  std::vector<std::pair<Labels, BackendView>> backends;
  for (const engine::PoolStatus& pool : status.pools) {
    const auto total = totals.totals().find(pool.name);
    pools.emplace_back(
        Labels{pool.name},
        PoolView{.pool = pool, .total = total == totals.totals().end() ? nullptr : &total->second});
    std::map<model::IpAddress, const detect::ServerShares*> shares;
    if (pool.distribution) {
      for (const detect::ServerShares& server : pool.distribution->servers) {
        shares[server.address] = &server;
      }
    }
    for (const engine::BackendStatus& backend : pool.backends) {
      const auto found = shares.find(backend.address);
      backends.emplace_back(Labels{pool.name, backend.name},
                            BackendView{.pool = pool,
                                        .backend = backend,
                                        .shares = found == shares.end() ? nullptr : found->second});
    }
  }
  to->Write(kPoolColumns, pools);
  to->Write(kBackendColumns, backends);
}

void WritePackets(const engine::Status& status, Writer* to) {
  struct Kind {
    Id id;
    absl::string_view prefix;  // of the verdict's name
  };
  for (const Kind& kind :
       {Kind{Id::kDropped, "drop_"}, Kind{Id::kPassed, "pass_"}, Kind{Id::kReplies, "reply_"}}) {
    to->Write(kind.id, [&](Family& f) {
      for (const auto& [name, packets] : status.verdicts) {
        absl::string_view reason = name;
        if (absl::ConsumePrefix(&reason, kind.prefix)) f.Add({std::string(reason)}, Count(packets));
      }
    });
  }
}

void WriteAlarms(const engine::Status& status, const Tallies::Snapshot& tallies, Writer* to) {
  std::map<std::string, uint64_t> open, waiting;
  for (const auto& [severity, raised] : tallies.alarms) open[severity] = waiting[severity] = 0;
  for (const detect::Alarm& alarm : status.alarms) {
    const std::string severity(detect::ToString(alarm.severity));
    ++open[severity];
    waiting[severity] += !alarm.acknowledged;
  }
  const auto by_severity = [](const std::map<std::string, uint64_t>& counts) {
    return [&counts](Family& f) {
      for (const auto& [severity, count] : counts) f.Add({severity}, Count(count));
    };
  };
  to->Write(Id::kAlarms, by_severity(open));
  to->Write(Id::kAlarmsUnacknowledged, by_severity(waiting));
  to->Write(Id::kAlarmActive, [&](Family& f) {
    for (const detect::Alarm& alarm : status.alarms) {
      f.Add({alarm.pool, alarm.name, std::string(detect::ToString(alarm.kind)),
             std::string(detect::ToString(alarm.severity)),
             std::string(detect::ToString(alarm.diagnosis))},
            1);
    }
  });
  to->Write(Id::kAlarmsRaised, by_severity(tallies.alarms));
}

}  // namespace

std::string Render(const engine::Status& status, const PoolTotals& totals,
                   const Tallies::Snapshot& tallies, const ProcessUse& process, int64_t now_unix_ns,
                   double collect_s) {
  Writer writer;
  WriteState(status, now_unix_ns, &writer);
  WriteChanges(status, tallies, &writer);
  WriteVips(status, &writer);
  WritePools(status, totals, &writer);
  WritePackets(status, &writer);
  WriteAlarms(status, tallies, &writer);
  if (tallies.last_tick_unix_ns != 0) {
    writer.Write(Id::kDetectorTick, UnixSeconds(tallies.last_tick_unix_ns));
  }
  writer.Write(Id::kDetectorTicks, Count(tallies.ticks.count));
  writer.Write(Id::kDetectorTickDuration, [&](Family& f) { f.Add({}, tallies.ticks); });
  writer.Write(Id::kCollectDuration, collect_s);
  writer.Write(Id::kResidentMemory, Count(process.resident_bytes));
  writer.Write(Id::kCpu, process.cpu_s);
  return writer.Take();
}

}  // namespace evenkeel::metrics
