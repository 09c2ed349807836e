// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/grafana.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "control/metrics/metric_list.h"

namespace evenkeel::metrics {
namespace {

using nlohmann::json;

TEST(GrafanaDashboard, HasAPanelForEachMetric) {
  const json dashboard = json::parse(GrafanaDashboard());
  std::string expressions;
  std::set<int> ids;
  for (const json& panel : dashboard.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second);
    if (panel.at("type") == "row") continue;
    EXPECT_FALSE(panel.at("title").get<std::string>().empty());
    EXPECT_FALSE(panel.at("targets").empty()) << panel;
    for (const json& target : panel.at("targets")) {
      expressions += target.at("expr").get<std::string>() + "\n";
    }
  }
  for (const Metric& metric : MetricList()) {
    const std::string name(metric.name);
    const std::string series = metric.type == Type::kHistogram ? name + "_bucket{" : name + "{";
    EXPECT_THAT(expressions, ::testing::HasSubstr(series));
    if (metric.type == Type::kCounter) {
      EXPECT_THAT(expressions, ::testing::HasSubstr("rate(" + series));
    }
  }
}

TEST(GrafanaDashboard, PanelsDoNotOverlap) {
  const json dashboard = json::parse(GrafanaDashboard());
  std::set<std::pair<int, int>> cells;
  for (const json& panel : dashboard.at("panels")) {
    const json& at = panel.at("gridPos");
    for (int x = at.at("x"); x < at.at("x").get<int>() + at.at("w").get<int>(); ++x) {
      EXPECT_LT(x, 24);
      for (int y = at.at("y"); y < at.at("y").get<int>() + at.at("h").get<int>(); ++y) {
        EXPECT_TRUE(cells.insert({x, y}).second) << panel.at("title");
      }
    }
  }
}

TEST(GrafanaDashboard, AsksForSourceBalancerAndPool) {
  const json dashboard = json::parse(GrafanaDashboard());
  std::set<std::string> names;
  for (const json& variable : dashboard.at("templating").at("list")) {
    names.insert(variable.at("name").get<std::string>());
  }
  EXPECT_EQ(names, (std::set<std::string>{"datasource", "instance", "pool"}));
}

}  // namespace
}  // namespace evenkeel::metrics
