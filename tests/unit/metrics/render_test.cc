// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/render.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "control/metrics/metric_list.h"
#include "process.h"
#include "tests/unit/metrics/status.h"

namespace evenkeel::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string RenderOf(const engine::Status& status, const Tallies::Snapshot& tallies = {},
                     int64_t now_unix_ns = 0) {
  PoolTotals totals;
  totals.Add(status);
  return Render(status, totals, tallies, {.resident_bytes = 4096, .cpu_s = 1.5}, now_unix_ns, 0.25);
}

// Lines without comments.
std::set<std::string> Samples(const std::string& text) {
  std::set<std::string> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != '#') samples.insert(line);
  }
  return samples;
}

#define EXPECT_SAMPLE(text, sample) EXPECT_EQ(Samples(text).count(sample), 1u) << sample

TEST(Render, SaysWhatTheStatusSays) {
  const std::string text = RenderOf(WebStatus());
  EXPECT_SAMPLE(text, "evenkeel_build_info{version=\"1.2.3\",balancer=\"edge\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_start_time_seconds 1.5");
  EXPECT_SAMPLE(text, "evenkeel_revision 41");
  EXPECT_SAMPLE(text, "evenkeel_last_good_revision 40");
  EXPECT_SAMPLE(text, "evenkeel_generation 7");
  EXPECT_SAMPLE(text, "evenkeel_applied_timestamp_seconds 2");
  EXPECT_SAMPLE(text, "evenkeel_confirmation_pending_seconds 0");
  EXPECT_SAMPLE(text, "evenkeel_digest_mismatch 0");
  EXPECT_SAMPLE(text, "evenkeel_pinned_flows 5");
  EXPECT_SAMPLE(text,
                "evenkeel_interface_info{interface=\"eth0\",mode=\"native\",shared=\"false\"} 1");
  EXPECT_SAMPLE(text,
                "evenkeel_vip_info{vip=\"web\",address=\"192.0.2.10\",port=\"443\","
                "protocol=\"tcp\",pool=\"web\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_vip_packets_total{vip=\"web\"} 300");
  EXPECT_SAMPLE(text, "evenkeel_vip_bytes_total{vip=\"web\"} 4000");
  EXPECT_SAMPLE(text, "evenkeel_vip_new_flows_total{vip=\"web\"} 50");
  EXPECT_SAMPLE(text, "evenkeel_vip_drops_total{vip=\"web\"} 6");
  EXPECT_SAMPLE(text, "evenkeel_pool_slots{pool=\"web\"} 65537");
  EXPECT_SAMPLE(text, "evenkeel_pool_moving_slots{pool=\"web\"} 11");
  EXPECT_SAMPLE(text, "evenkeel_backend_packets_total{pool=\"web\",backend=\"web-2\"} 200");
  EXPECT_SAMPLE(text, "evenkeel_backend_bytes_total{pool=\"web\",backend=\"web-1\"} 1000");
  EXPECT_SAMPLE(text, "evenkeel_backend_new_flows_total{pool=\"web\",backend=\"web-2\"} 20");
  EXPECT_SAMPLE(text, "evenkeel_backend_expected_share_ratio{pool=\"web\",backend=\"web-1\"} 0.5");
  EXPECT_SAMPLE(text, "evenkeel_backend_reachable{pool=\"web\",backend=\"web-1\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_dropped_packets_total{reason=\"ttl\"} 4");
  EXPECT_SAMPLE(text, "evenkeel_dropped_packets_total{reason=\"internal\"} 0");
  EXPECT_SAMPLE(text, "evenkeel_passed_packets_total{reason=\"no_vip\"} 3");
  EXPECT_SAMPLE(text, "evenkeel_replies_total{kind=\"echo\"} 2");
  EXPECT_SAMPLE(text, "evenkeel_process_resident_memory_bytes 4096");
  EXPECT_SAMPLE(text, "evenkeel_process_cpu_seconds_total 1.5");
  EXPECT_SAMPLE(text, "evenkeel_collect_duration_seconds 0.25");
}

TEST(Render, WhatIsNotKnownIsAbsentAndNotZero) {
  const std::string text = RenderOf(WebStatus());
  for (const char* absent :
       {"evenkeel_backend_healthy", "evenkeel_backend_skew_ratio", "evenkeel_pool_skew_ratio",
        "evenkeel_backend_observed", "evenkeel_pool_distribution_matches",
        "evenkeel_vip_advertised", "evenkeel_watched_file_held", "evenkeel_backend_load_ratio",
        "evenkeel_alarm_active", "evenkeel_detector_last_tick"}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
}

TEST(Render, AWindowCountsDownToZero) {
  engine::Status status = WebStatus();
  status.applied.standing = history::Standing::kAwaiting;
  status.applied.deadline_unix_ns = 100'000'000'000;
  EXPECT_SAMPLE(RenderOf(status, {}, 70'500'000'000), "evenkeel_confirmation_pending_seconds 29.5");
  EXPECT_SAMPLE(RenderOf(status, {}, 101'000'000'000), "evenkeel_confirmation_pending_seconds 0");
}

TEST(Render, HealthAndRoutes) {
  engine::Status status = WebStatus();
  auto& backends = status.pools[0].backends;
  backends[0].health = "up";
  backends[0].capacity = 200;
  backends[0].load = 50;
  backends[1].health = "down";
  backends[1].held = true;
  backends[1].admitted = 0.25;
  backends[1].problem = "no route";
  status.pools[0].panic = "all are down";
  status.pools[0].no_spare = "none to lose";
  status.vips[0].advertised = engine::Advertisement{.routed = true};
  status.watched.emplace().state = engine::Watched::State::kHeld;
  status.digest_matches = false;
  status.notices = {"a", "b"};
  const std::string text = RenderOf(status);
  EXPECT_SAMPLE(text, "evenkeel_backend_healthy{pool=\"web\",backend=\"web-1\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_backend_healthy{pool=\"web\",backend=\"web-2\"} 0");
  EXPECT_SAMPLE(text, "evenkeel_backend_held{pool=\"web\",backend=\"web-1\"} 0");
  EXPECT_SAMPLE(text, "evenkeel_backend_held{pool=\"web\",backend=\"web-2\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_backend_admitted_ratio{pool=\"web\",backend=\"web-2\"} 0.25");
  EXPECT_SAMPLE(text, "evenkeel_backend_reachable{pool=\"web\",backend=\"web-2\"} 0");
  EXPECT_SAMPLE(text, "evenkeel_backend_load_ratio{pool=\"web\",backend=\"web-1\"} 0.25");
  EXPECT_SAMPLE(text, "evenkeel_pool_panic{pool=\"web\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_pool_no_spare_capacity{pool=\"web\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_vip_advertised{vip=\"web\"} 1");
  EXPECT_SAMPLE(text, "evenkeel_watched_file_held 1");
  EXPECT_SAMPLE(text, "evenkeel_digest_mismatch 1");
  EXPECT_SAMPLE(text, "evenkeel_notices 2");
}

TEST(Render, SharesAsTheDetectorSeesThem) {
  engine::Status status = WebStatus();
  detect::PoolReport report;
  report.verdict = detect::Verdict::kBroken;
  report.links[static_cast<size_t>(detect::Link::kKernel)].state = detect::LinkState::kBroken;
  report.servers.resize(2);
  report.servers[0].address = Address("10.0.0.1");
  report.servers[0].intended = 0.25;
  report.servers[0].flows = 0.75;
  report.servers[0].ratio = 3;
  report.servers[0].sufficient = true;
  report.servers[1].address = Address("10.0.0.2");
  report.servers[1].intended = 0.75;
  report.servers[1].flows = 0.25;
  report.servers[1].ratio = 9;
  status.pools[0].distribution = report;
  const std::string text = RenderOf(status);
  EXPECT_SAMPLE(text, "evenkeel_backend_expected_share_ratio{pool=\"web\",backend=\"web-1\"} 0.25");
  EXPECT_SAMPLE(text, "evenkeel_backend_table_share_ratio{pool=\"web\",backend=\"web-1\"} 0.5");
  EXPECT_SAMPLE(text, "evenkeel_backend_observed_share_ratio{pool=\"web\",backend=\"web-1\"} 0.75");
  EXPECT_SAMPLE(text, "evenkeel_backend_skew_ratio{pool=\"web\",backend=\"web-1\"} 3");
  EXPECT_THAT(text, Not(HasSubstr("evenkeel_backend_skew_ratio{pool=\"web\",backend=\"web-2\"}")))
      << "too little traffic to tell";
  EXPECT_SAMPLE(text, "evenkeel_pool_skew_ratio{pool=\"web\"} 3");
  EXPECT_SAMPLE(text, "evenkeel_pool_distribution_matches{pool=\"web\"} 0");
  EXPECT_SAMPLE(text, "evenkeel_pool_digest_mismatch{pool=\"web\"} 1");
}

TEST(Render, AlarmsAreSeriesWithoutClients) {
  engine::Status status = WebStatus();
  detect::Alarm alarm;
  alarm.pool = "web";
  alarm.name = "web-1";
  alarm.kind = detect::Kind::kFlows;
  alarm.severity = detect::Severity::kPage;
  alarm.diagnosis = detect::Diagnosis::kElephant;
  alarm.evidence.heavy.resize(1);
  alarm.evidence.heavy[0].source = Address("203.0.113.77");
  status.alarms.push_back(alarm);
  alarm.kind = detect::Kind::kLoad;
  alarm.acknowledged = detect::Acknowledged{.who = "alice", .unix_ns = 1};
  status.alarms.push_back(alarm);
  const std::string text = RenderOf(status, Tallies().Read());
  EXPECT_SAMPLE(text, "evenkeel_alarms{severity=\"page\"} 2");
  EXPECT_SAMPLE(text, "evenkeel_alarms{severity=\"ticket\"} 0");
  EXPECT_SAMPLE(text, "evenkeel_alarms_unacknowledged{severity=\"page\"} 1");
  EXPECT_SAMPLE(text,
                "evenkeel_alarm_active{pool=\"web\",backend=\"web-1\",kind=\"flows\","
                "severity=\"page\",diagnosis=\"elephant\"} 1");
  EXPECT_THAT(text, Not(HasSubstr("203.0.113.77")));
  EXPECT_THAT(text, Not(HasSubstr("alice")));
}

// Prometheus's own tool reads it, and finds nothing that its conventions forbid.
TEST(Render, PromtoolHasNoComplaint) {
  engine::Status status = WebStatus();
  status.pools[0].name = "odd \"name\"\\\n";
  const std::string path = ::testing::TempDir() + "evenkeel-metrics-" + std::to_string(::getpid());
  std::ofstream(path) << RenderOf(status, Tallies().Read());
  const auto result =
      evenkeel::testing::RunCommand({"sh", "-c", "promtool check metrics < \"$1\"", "sh", path});
  ::unlink(path.c_str());
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_EQ(result.out + result.err, "");
}

TEST(MetricList, NamesFollowTheConventions) {
  std::set<std::string> names;
  for (const Metric& metric : MetricList()) {
    const std::string name(metric.name);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(std::regex_match(name, std::regex("evenkeel_[a-z_]+[a-z]"))) << name;
    EXPECT_EQ(name.ends_with("_total"), metric.type == Type::kCounter) << name;
    if (metric.unit == Unit::kRatio && metric.type == Type::kGauge) {
      EXPECT_TRUE(name.ends_with("_ratio")) << name;
    }
    EXPECT_FALSE(metric.help.empty()) << name;
    // "pool" is bounded by the configuration; an address of a client would not be.
    for (const char* unbounded : {"client", "source", "flow", "revision"}) {
      EXPECT_EQ(std::string(metric.labels).find(unbounded), std::string::npos) << name;
    }
  }
}

// Each metric of the list is one that some status leads to.
TEST(MetricList, IsWhatIsExposed) {
  engine::Status status = WebStatus();
  auto& backend = status.pools[0].backends[0];
  backend.health = "up";
  backend.capacity = 1;
  status.vips[0].advertised = engine::Advertisement{};
  status.watched = engine::Watched{};
  status.alarms.push_back({});
  detect::PoolReport report;
  report.verdict = detect::Verdict::kMatches;
  report.servers.resize(1);
  report.servers[0].address = backend.address;
  report.servers[0].sufficient = true;
  status.pools[0].distribution = report;
  Tallies tallies;
  tallies.CountTick(1, 0.1);
  const std::string text = RenderOf(status, tallies.Read());
  for (const Metric& metric : MetricList()) {
    EXPECT_THAT(text, HasSubstr("# TYPE " + std::string(metric.name) + " " +
                                std::string(ToString(metric.type)) + "\n"));
  }
}

}  // namespace
}  // namespace evenkeel::metrics
