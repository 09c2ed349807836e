// SPDX-License-Identifier: Apache-2.0
//
// packaging/prometheus: what promtool says of it, and whether it speaks of metrics that exist.
#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "control/metrics/metric_list.h"
#include "process.h"

namespace evenkeel::metrics {
namespace {

using evenkeel::testing::RunCommand;

const std::string kDir = std::string(EK_SOURCE_DIR) + "/packaging/prometheus/";

std::vector<YAML::Node> RulesOf(const std::string& file) {
  std::vector<YAML::Node> rules;
  for (const YAML::Node& group : YAML::LoadFile(kDir + file)["groups"]) {
    for (const YAML::Node& rule : group["rules"]) rules.push_back(rule);
  }
  return rules;
}

TEST(PrometheusRules, PassPromtoolsChecks) {
  const auto checked = RunCommand(
      {"promtool", "check", "rules", kDir + "recording.rules.yml", kDir + "alerts.rules.yml"});
  EXPECT_EQ(checked.exit_code, 0) << checked;
  const auto config = RunCommand({"promtool", "check", "config", kDir + "prometheus.yml"});
  EXPECT_EQ(config.exit_code, 0) << config;
}

TEST(PrometheusRules, PassTheirUnitTests) {
  const auto tested = RunCommand({"promtool", "test", "rules", kDir + "tests.yml"});
  EXPECT_EQ(tested.exit_code, 0) << tested;
}

TEST(PrometheusRules, SpeakOfMetricsThatExist) {
  std::set<std::string> known = {"evenkeel_publish_duration_seconds_bucket"};
  for (const Metric& metric : MetricList()) known.insert(std::string(metric.name));
  const std::regex name("[a-z_]+:[a-z0-9_:]+|evenkeel_[a-z_]+");
  std::set<std::string> recorded;
  for (const char* file : {"recording.rules.yml", "alerts.rules.yml"}) {
    for (const YAML::Node& rule : RulesOf(file)) {
      if (rule["record"]) recorded.insert(rule["record"].as<std::string>());
    }
  }
  for (const char* file : {"recording.rules.yml", "alerts.rules.yml"}) {
    for (const YAML::Node& rule : RulesOf(file)) {
      const auto expression = rule["expr"].as<std::string>();
      for (std::sregex_iterator it(expression.begin(), expression.end(), name), end; it != end;
           ++it) {
        EXPECT_TRUE(known.contains(it->str()) || recorded.contains(it->str()))
            << it->str() << " in " << expression;
      }
    }
  }
}

TEST(PrometheusRules, TheRunbookHasEachAlert) {
  std::ifstream file(std::string(EK_SOURCE_DIR) + "/docs/runbook.md");
  std::stringstream runbook;
  runbook << file.rdbuf();
  for (const YAML::Node& rule : RulesOf("alerts.rules.yml")) {
    EXPECT_THAT(runbook.str(), ::testing::HasSubstr("`" + rule["alert"].as<std::string>() + "`"));
  }
}

// Each alert is tested with a case that fires and one that does not.
TEST(PrometheusRules, EachAlertIsTestedBothWays) {
  std::set<std::string> fire, stay;
  for (const YAML::Node& test : YAML::LoadFile(kDir + "tests.yml")["tests"]) {
    for (const YAML::Node& alert : test["alert_rule_test"]) {
      const bool fires = alert["exp_alerts"].size() != 0;
      (fires ? fire : stay).insert(alert["alertname"].as<std::string>());
    }
  }
  std::set<std::string> alerts;
  for (const YAML::Node& rule : RulesOf("alerts.rules.yml")) {
    alerts.insert(rule["alert"].as<std::string>());
    EXPECT_THAT(rule["labels"]["severity"].as<std::string>(),
                ::testing::AnyOf("page", "ticket", "info"));
    EXPECT_TRUE(rule["annotations"]["summary"]);
    EXPECT_TRUE(rule["annotations"]["description"]);
  }
  EXPECT_EQ(fire, alerts);
  EXPECT_EQ(stay, alerts);
}

}  // namespace
}  // namespace evenkeel::metrics
