// SPDX-License-Identifier: Apache-2.0
//
// Every metric that the daemon exposes, once: exposition, documentation and dashboards follow from
// this list. Names as https://prometheus.io/docs/practices/naming/ asks for: base units, counters
// end in _total, shares in _ratio.
#ifndef EVENKEEL_CONTROL_METRICS_METRIC_LIST_H_
#define EVENKEEL_CONTROL_METRICS_METRIC_LIST_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace evenkeel::metrics {

enum class Type { kCounter, kGauge, kHistogram };
std::string_view ToString(Type type);  // "counter"

// Where its panel stands in the dashboard, and its row in the documentation.
enum class Section { kState, kChanges, kVips, kPools, kBackends, kPackets, kAlarms, kDaemon };
std::string_view ToString(Section section);  // "Changes"

// Of what is drawn: of a counter its rate, of a histogram a quantile. kInfo: always 1, the labels
// are what it says.
enum class Unit {
  kNumber,
  kPacketsPerS,
  kBytesPerS,
  kPerS,
  kSeconds,
  kRatio,
  kTime,
  kBytes,
  kFlag,
  kInfo
};

enum class Id : size_t {
  kBuildInfo,
  kStartTime,
  kRevision,
  kLastGoodRevision,
  kGeneration,
  kAppliedTime,
  kPending,
  kDigestMismatch,
  kPinnedFlows,
  kNotices,
  kWatchedHeld,
  kInterfaceInfo,
  kChanges,
  kViolations,
  kOverrides,
  kOverridesActive,
  kPublishDuration,
  kPublishFailures,
  kVipInfo,
  kVipPackets,
  kVipBytes,
  kVipNewFlows,
  kVipDrops,
  kVipAdvertised,
  kPoolPackets,
  kPoolBytes,
  kPoolNewFlows,
  kPoolSlots,
  kPoolMovingSlots,
  kPoolSkew,
  kPoolMatches,
  kPoolDigestMismatch,
  kPoolPanic,
  kPoolNoSpare,
  kBackendPackets,
  kBackendBytes,
  kBackendNewFlows,
  kBackendExpected,
  kBackendTable,
  kBackendObserved,
  kBackendSkew,
  kBackendHealthy,
  kBackendHeld,
  kBackendAdmitted,
  kBackendReachable,
  kBackendLoad,
  kDropped,
  kPassed,
  kReplies,
  kAlarms,
  kAlarmsUnacknowledged,
  kAlarmActive,
  kAlarmsRaised,
  kDetectorTick,
  kDetectorTicks,
  kDetectorTickDuration,
  kCollectDuration,
  kResidentMemory,
  kCpu,
};
inline constexpr size_t kMetrics = static_cast<size_t>(Id::kCpu) + 1;

struct Metric {
  Id id;
  absl::string_view name;
  Type type;
  Section section;
  Unit unit;
  absl::string_view labels;  // names, separated by a blank
  absl::string_view help;    // one sentence, without a full stop
};

// By Id.
std::span<const Metric> MetricList();
const Metric& Find(Id id);

// docs/metrics.md's table.
std::string Markdown();

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_CONTROL_METRICS_METRIC_LIST_H_
