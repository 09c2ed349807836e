// SPDX-License-Identifier: Apache-2.0
//
// A real Prometheus scrapes the real daemon under load, with the rules that we ship: the numbers
// are those of the traffic, and a forced outage becomes an alert that fires.
#include <signal.h>

#include <cmath>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr char kMetrics[] = "127.0.0.1:9469";
constexpr char kPrometheus[] = "127.0.0.1:9090";

class MetricsTest : public LabTest {
 protected:
  // The lab, with the daemon's metrics on the loopback of the balancer's namespace.
  void Start() {
    MakeLab({.config = State{}.ToYaml()});
    lab().SignalDaemon(SIGTERM);
    ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(10000)));
    const CommandResult started = lab().StartDaemon({"--web-listen", kMetrics});
    ASSERT_TRUE(started.ok()) << started;
  }

  void StartPrometheus() {
    const std::string rules = std::string(EK_SOURCE_DIR) + "/packaging/prometheus/";
    WriteFile(lab().file("prometheus.yml"),
              "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
              "rule_files: [" +
                  rules + "recording.rules.yml, " + rules +
                  "alerts.rules.yml]\n"
                  "scrape_configs:\n"
                  "  - job_name: evenkeel\n"
                  "    static_configs: [{targets: [\"" +
                  std::string(kMetrics) + "\"]}]\n");
    prometheus_ = std::make_unique<Process>(lab().In(
        "balancer", {"prometheus", "--config.file=" + lab().file("prometheus.yml"),
                     "--storage.tsdb.path=" + lab().file("tsdb"),
                     "--web.listen-address=" + std::string(kPrometheus), "--log.level=warn"}));
  }

  // The result of an instant query; empty until Prometheus answers.
  json Query(const std::string& expression) {
    const CommandResult answer =
        lab().RunIn("balancer", {"curl", "-s", "--max-time", "5", "-G", "--data-urlencode",
                                 "query=" + expression,
                                 "http://" + std::string(kPrometheus) + "/api/v1/query"});
    const json parsed = json::parse(answer.out, nullptr, false);
    if (parsed.is_discarded() || parsed.value("status", "") != "success") return json::array();
    return parsed.at("data").at("result");
  }
  double Value(const std::string& expression) {
    const json result = Query(expression);
    return result.size() != 1 ? std::nan("")
                              : std::stod(result[0].at("value")[1].get<std::string>());
  }

  std::unique_ptr<Process> prometheus_;
};

TEST_F(MetricsTest, PrometheusSeesTheTrafficAndAlertsOfAForcedOutage) {
  ASSERT_NO_FATAL_FAILURE(Start());
  StartPrometheus();
  Load load(lab(), {.rate = 300});
  ASSERT_TRUE(Eventually(milliseconds(30000), [&] { return Value("up") == 1; }));

  // Requests a second, each a connection of its own.
  ASSERT_TRUE(Eventually(milliseconds(30000), [&] {
    return std::abs(Value("sum(rate(evenkeel_vip_new_flows_total{vip=\"web\"}[10s]))") - 300) < 60;
  })) << Query("evenkeel_vip_new_flows_total");
  EXPECT_NEAR(Value("sum(rate(evenkeel_pool_new_flows_total{pool=\"four\"}[10s]))"), 300, 100);
  // The shares are even, and add up.
  ASSERT_TRUE(Eventually(milliseconds(30000), [&] {
    return std::abs(Value("sum(evenkeel_backend_observed_share_ratio{pool=\"four\"})") - 1) < 1e-6;
  })) << Query("evenkeel_backend_observed_share_ratio");
  EXPECT_NEAR(Value("sum(evenkeel_backend_expected_share_ratio{pool=\"four\"})"), 1, 1e-6);
  EXPECT_LT(Value("evenkeel_pool_skew_ratio{pool=\"four\"}"), 1.5);
  EXPECT_EQ(Value("evenkeel_digest_mismatch"), 0);
  EXPECT_EQ(Value("sum(evenkeel_alarms)"), 0);
  EXPECT_LT(Value("time() - evenkeel_detector_last_tick_timestamp_seconds"), 5);
  EXPECT_TRUE(Query("ALERTS{severity=\"page\",alertstate=\"firing\"}").empty()) << Query("ALERTS");

  // The change is refused, and then forced.
  State outage;
  outage.backends = 1;
  WriteFile(lab().file("outage.yaml"), outage.ToYaml());
  Argv apply = {"apply", "-f", lab().file("outage.yaml"), "--yes", "--reason", "drill"};
  EXPECT_EQ(lab().Cli(apply).exit_code, 3);
  for (const char* more :
       {"--override", "LB001,LB003,LB004,LB005,LB006,LB018", "--expires", "1h"}) {
    apply.push_back(more);
  }
  const CommandResult forced = lab().Cli(apply);
  ASSERT_EQ(forced.exit_code, 0) << forced;
  ASSERT_TRUE(Eventually(milliseconds(30000), [&] {
    return !Query(
                "ALERTS{alertname=\"EvenkeelTrafficPage\",alertstate=\"firing\",pool=\"four\","
                "backend=\"b1\",diagnosis=\"weights\"}")
                .empty();
  })) << Query("ALERTS");
  EXPECT_EQ(Value("evenkeel_changes_total{outcome=\"refused\"}"), 1);
  EXPECT_EQ(Value("evenkeel_changes_total{outcome=\"applied\"}"), 1);
  EXPECT_GE(Value("evenkeel_rule_violations_total{rule=\"LB001\",severity=\"block\"}"), 1);
  EXPECT_EQ(Value("evenkeel_rule_overrides_total{rule=\"LB001\"}"), 1);
  EXPECT_EQ(Value("evenkeel_rule_overrides_active{rule=\"LB001\"}"), 1);
  EXPECT_EQ(Value("evenkeel_publish_duration_seconds_count{phase=\"total\"}"), 1);
  EXPECT_EQ(Value("evenkeel_revision"), lab().Status().at("applied").at("revision").get<double>());

  // The daemon goes: Prometheus says so, and packets go on.
  lab().SignalDaemon(SIGKILL);
  ASSERT_TRUE(Eventually(milliseconds(20000), [&] {
    return !Query("ALERTS{alertname=\"EvenkeelDown\"}").empty();
  })) << Query("ALERTS");
  const Load::Summary summary = load.Stop();
  EXPECT_GT(summary.requests, 0u);
  prometheus_->Signal(SIGTERM);
  prometheus_->Wait();
}

// From outside the host nobody gets there, and nothing that is served there names a client.
TEST_F(MetricsTest, NothingListensBeyondTheHost) {
  ASSERT_NO_FATAL_FAILURE(Start());
  Load load(lab(), {.rate = 100});
  const std::string socket = lab().file("evenkeeld-web.sock");
  ASSERT_TRUE(Eventually(milliseconds(10000), [&] {
    const auto local =
        RunCommand({"curl", "-s", "--unix-socket", socket, "http://localhost/metrics"});
    return local.out.find("evenkeel_vip_new_flows_total{vip=\"web\"}") != std::string::npos;
  }));
  const std::string text =
      RunCommand({"curl", "-s", "--unix-socket", socket, "http://localhost/metrics"}).out;
  EXPECT_EQ(text.find("10.77.0.2\""), std::string::npos) << "the client's address";
  const CommandResult outside =
      lab().RunIn("client", {"curl", "-s", "--max-time", "3", "http://10.77.0.3:9469/metrics"});
  EXPECT_NE(outside.exit_code, 0) << outside;
  load.Stop();
}

}  // namespace
}  // namespace evenkeel::testing
