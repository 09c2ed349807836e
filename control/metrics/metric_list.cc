// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/metric_list.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace evenkeel::metrics {
namespace {

constexpr Type C = Type::kCounter, G = Type::kGauge, H = Type::kHistogram;
using S = Section;
using U = Unit;

constexpr std::array<Metric, kMetrics> kList = {{
    {Id::kBuildInfo, "evenkeel_build_info", G, S::kState, U::kInfo, "version balancer",
     "Version of the daemon, and its name of --instance; always 1"},
    {Id::kStartTime, "evenkeel_start_time_seconds", G, S::kState, U::kTime, "",
     "When the daemon started, in Unix time"},
    {Id::kRevision, "evenkeel_revision", G, S::kState, U::kNumber, "",
     "Revision in force; 0: nothing was applied yet"},
    {Id::kLastGoodRevision, "evenkeel_last_good_revision", G, S::kState, U::kNumber, "",
     "Newest revision known as good; 0: none yet"},
    {Id::kGeneration, "evenkeel_generation", G, S::kState, U::kNumber, "",
     "Index of the generation of tables that packets see; indexes are used again"},
    {Id::kAppliedTime, "evenkeel_applied_timestamp_seconds", G, S::kState, U::kTime, "",
     "When the revision in force was applied, in Unix time"},
    {Id::kPending, "evenkeel_confirmation_pending_seconds", G, S::kState, U::kSeconds, "",
     "Time left to confirm the revision in force before it is rolled back; 0: it awaits nothing"},
    {Id::kDigestMismatch, "evenkeel_digest_mismatch", G, S::kState, U::kFlag, "",
     "1 while a table read back from the kernel is not the one that was approved"},
    {Id::kPinnedFlows, "evenkeel_pinned_flows", G, S::kState, U::kNumber, "",
     "Flows that stay with their former server while slots change hands"},
    {Id::kNotices, "evenkeel_notices", G, S::kState, U::kNumber, "",
     "Things that need attention and that evenkeel status names"},
    {Id::kWatchedHeld, "evenkeel_watched_file_held", G, S::kState, U::kFlag, "",
     "1 while the watched file is not applied and somebody has to look; absent: none is watched"},
    {Id::kInterfaceInfo, "evenkeel_interface_info", G, S::kState, U::kInfo, "interface mode shared",
     "Interfaces that the balancer is attached to; always 1"},

    {Id::kChanges, "evenkeel_changes_total", C, S::kChanges, U::kPerS, "outcome",
     "Changes that the guard judged, by what became of them: applied, refused, failed"},
    {Id::kViolations, "evenkeel_rule_violations_total", C, S::kChanges, U::kPerS, "rule severity",
     "Findings of the rules in changes that were meant: block refuses, warn does not"},
    {Id::kOverrides, "evenkeel_rule_overrides_total", C, S::kChanges, U::kPerS, "rule",
     "Changes that were applied with an override of the rule"},
    {Id::kOverridesActive, "evenkeel_rule_overrides_active", G, S::kChanges, U::kNumber, "rule",
     "Overrides of the rule that have not expired"},
    {Id::kPublishDuration, "evenkeel_publish_duration_seconds", H, S::kChanges, U::kSeconds,
     "phase",
     "Time that publications took, by health too: to stage, to verify, to swap, and in total"},
    {Id::kPublishFailures, "evenkeel_publish_failures_total", C, S::kChanges, U::kPerS, "",
     "Publications that failed and left the kernel as it was"},

    {Id::kVipInfo, "evenkeel_vip_info", G, S::kVips, U::kInfo, "vip address port protocol pool",
     "What a VIP is; always 1"},
    {Id::kVipPackets, "evenkeel_vip_packets_total", C, S::kVips, U::kPacketsPerS, "vip",
     "Packets forwarded"},
    {Id::kVipBytes, "evenkeel_vip_bytes_total", C, S::kVips, U::kBytesPerS, "vip",
     "Bytes forwarded, of IP packets before encapsulation"},
    {Id::kVipNewFlows, "evenkeel_vip_new_flows_total", C, S::kVips, U::kPerS, "vip",
     "TCP connections opened; of QUIC and plain UDP see docs/dataplane.md"},
    {Id::kVipDrops, "evenkeel_vip_drops_total", C, S::kVips, U::kPacketsPerS, "vip",
     "Packets for the VIP that were not forwarded"},
    {Id::kVipAdvertised, "evenkeel_vip_advertised", G, S::kVips, U::kFlag, "vip",
     "1 while its address has a route for routing daemons; absent: VIPs are not advertised"},

    {Id::kPoolPackets, "evenkeel_pool_packets_total", C, S::kPools, U::kPacketsPerS, "pool",
     "Packets forwarded to its backends since the daemon started, also to those that are gone"},
    {Id::kPoolBytes, "evenkeel_pool_bytes_total", C, S::kPools, U::kBytesPerS, "pool",
     "Bytes forwarded to its backends, likewise"},
    {Id::kPoolNewFlows, "evenkeel_pool_new_flows_total", C, S::kPools, U::kPerS, "pool",
     "New flows of its backends, likewise"},
    {Id::kPoolSlots, "evenkeel_pool_slots", G, S::kPools, U::kNumber, "pool",
     "Slots of its lookup table"},
    {Id::kPoolMovingSlots, "evenkeel_pool_moving_slots", G, S::kPools, U::kNumber, "pool",
     "Slots that change hands; flows that were there before stay where they are"},
    {Id::kPoolSkew, "evenkeel_pool_skew_ratio", G, S::kPools, U::kRatio, "pool",
     "Largest observed by expected share of its servers with enough traffic to tell; absent: none "
     "has"},
    {Id::kPoolMatches, "evenkeel_pool_distribution_matches", G, S::kPools, U::kFlag, "pool",
     "1: traffic goes where it should; 0: it does not; absent: too little traffic to say"},
    {Id::kPoolDigestMismatch, "evenkeel_pool_digest_mismatch", G, S::kPools, U::kFlag, "pool",
     "1 while its table read back from the kernel is not the one that was approved"},
    {Id::kPoolPanic, "evenkeel_pool_panic", G, S::kPools, U::kFlag, "pool",
     "1 while so many servers are down that health does not decide (LB011)"},
    {Id::kPoolNoSpare, "evenkeel_pool_no_spare_capacity", G, S::kPools, U::kFlag, "pool",
     "1 while it could not lose a server, rack or zone"},

    {Id::kBackendPackets, "evenkeel_backend_packets_total", C, S::kBackends, U::kPacketsPerS,
     "pool backend", "Packets forwarded"},
    {Id::kBackendBytes, "evenkeel_backend_bytes_total", C, S::kBackends, U::kBytesPerS,
     "pool backend", "Bytes forwarded, of IP packets before encapsulation"},
    {Id::kBackendNewFlows, "evenkeel_backend_new_flows_total", C, S::kBackends, U::kPerS,
     "pool backend", "New flows"},
    {Id::kBackendExpected, "evenkeel_backend_expected_share_ratio", G, S::kBackends, U::kRatio,
     "pool backend", "Share of the pool that it is meant to get, by weights and health"},
    {Id::kBackendTable, "evenkeel_backend_table_share_ratio", G, S::kBackends, U::kRatio,
     "pool backend", "Share of the slots of the built table"},
    {Id::kBackendObserved, "evenkeel_backend_observed_share_ratio", G, S::kBackends, U::kRatio,
     "pool backend", "Share of the pool's new flows (plain UDP: packets) in the last minute"},
    {Id::kBackendSkew, "evenkeel_backend_skew_ratio", G, S::kBackends, U::kRatio, "pool backend",
     "Observed by expected share; absent: too little traffic to tell"},
    {Id::kBackendHealthy, "evenkeel_backend_healthy", G, S::kBackends, U::kFlag, "pool backend",
     "1: its probes succeed; 0: they fail; absent: it is not probed, or not yet"},
    {Id::kBackendHeld, "evenkeel_backend_held", G, S::kBackends, U::kFlag, "pool backend",
     "1 while it is down and gets traffic all the same, by panic or the guard"},
    {Id::kBackendAdmitted, "evenkeel_backend_admitted_ratio", G, S::kBackends, U::kRatio,
     "pool backend", "Part of its share that health and slow start let it have"},
    {Id::kBackendReachable, "evenkeel_backend_reachable", G, S::kBackends, U::kFlag, "pool backend",
     "1 while its next hop is known"},
    {Id::kBackendLoad, "evenkeel_backend_load_ratio", G, S::kBackends, U::kRatio, "pool backend",
     "Load by capacity; absent: it has none"},

    {Id::kDropped, "evenkeel_dropped_packets_total", C, S::kPackets, U::kPacketsPerS, "reason",
     "Packets dropped, by reason (docs/dataplane.md)"},
    {Id::kPassed, "evenkeel_passed_packets_total", C, S::kPackets, U::kPacketsPerS, "reason",
     "Packets left to the host, by reason"},
    {Id::kReplies, "evenkeel_replies_total", C, S::kPackets, U::kPacketsPerS, "kind",
     "Packets that the balancer answered itself"},

    {Id::kAlarms, "evenkeel_alarms", G, S::kAlarms, U::kNumber, "severity", "Alarms that are open"},
    {Id::kAlarmsUnacknowledged, "evenkeel_alarms_unacknowledged", G, S::kAlarms, U::kNumber,
     "severity", "... and that nobody acknowledged"},
    {Id::kAlarmActive, "evenkeel_alarm_active", G, S::kAlarms, U::kInfo,
     "pool backend kind severity diagnosis", "One series for each open alarm; always 1"},
    {Id::kAlarmsRaised, "evenkeel_alarms_raised_total", C, S::kAlarms, U::kPerS, "severity",
     "Alarms raised, and tickets that became pages"},

    {Id::kDetectorTick, "evenkeel_detector_last_tick_timestamp_seconds", G, S::kDaemon, U::kTime,
     "", "When the detector last looked at the counters, in Unix time: once a second"},
    {Id::kDetectorTicks, "evenkeel_detector_ticks_total", C, S::kDaemon, U::kPerS, "",
     "How often it did"},
    {Id::kDetectorTickDuration, "evenkeel_detector_tick_duration_seconds", H, S::kDaemon,
     U::kSeconds, "", "Time that each look took, tables read back included"},
    {Id::kCollectDuration, "evenkeel_collect_duration_seconds", G, S::kDaemon, U::kSeconds, "",
     "Time that gathering these metrics took"},
    {Id::kResidentMemory, "evenkeel_process_resident_memory_bytes", G, S::kDaemon, U::kBytes, "",
     "Memory of the daemon that is in RAM; not the maps in the kernel"},
    {Id::kCpu, "evenkeel_process_cpu_seconds_total", C, S::kDaemon, U::kRatio, "",
     "Processor time of the daemon; of a rate 1 is one processor"},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kList.size(); ++i) {
    if (kList[i].id != static_cast<Id>(i)) return false;
  }
  return true;
}
static_assert(InOrder());

}  // namespace

std::string_view ToString(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  return "";
}

std::string_view ToString(Section section) {
  switch (section) {
    case Section::kState:
      return "State";
    case Section::kChanges:
      return "Changes";
    case Section::kVips:
      return "VIPs";
    case Section::kPools:
      return "Pools";
    case Section::kBackends:
      return "Backends";
    case Section::kPackets:
      return "Packets not forwarded";
    case Section::kAlarms:
      return "Alarms";
    case Section::kDaemon:
      return "Detector and daemon";
  }
  return "";
}

std::span<const Metric> MetricList() { return kList; }
const Metric& Find(Id id) { return kList[static_cast<size_t>(id)]; }

std::string Markdown() {
  std::string text;
  std::string section;
  for (const Metric& metric : kList) {
    if (ToString(metric.section) != section) {
      section = std::string(ToString(metric.section));
      absl::StrAppend(&text, text.empty() ? "" : "\n", "### ", section,
                      "\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n");
    }
    absl::StrAppend(
        &text, "| `", metric.name, "` | ", std::string(ToString(metric.type)), " | ",
        metric.labels.empty()
            ? ""
            : absl::StrCat("`", absl::StrReplaceAll(metric.labels, {{" ", "`, `"}}), "`"),
        " | ", metric.help, " |\n");
  }
  return text;
}

}  // namespace evenkeel::metrics
