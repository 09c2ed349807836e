// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/grafana.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "control/metrics/metric_list.h"

namespace evenkeel::metrics {
namespace {

using nlohmann::ordered_json;

constexpr int kColumns = 24;  // of Grafana's grid
constexpr char kSource[] = "${datasource}";

std::vector<std::string> LabelsOf(const Metric& metric) {
  return absl::StrSplit(metric.labels, ' ', absl::SkipEmpty());
}

bool HasLabel(const Metric& metric, std::string_view label) {
  for (const std::string& own : LabelsOf(metric)) {
    if (own == label) return true;
  }
  return false;
}

std::string UnitOf(Unit unit) {
  switch (unit) {
    case Unit::kPacketsPerS:
      return "pps";
    case Unit::kBytesPerS:
      return "Bps";
    case Unit::kPerS:
      return "ops";
    case Unit::kSeconds:
    case Unit::kTime:  // drawn as the time since then
      return "s";
    case Unit::kRatio:
      return "percentunit";
    case Unit::kBytes:
      return "bytes";
    case Unit::kNumber:
    case Unit::kFlag:
    case Unit::kInfo:
      return "short";
  }
  return "short";
}

std::string Selector(const Metric& metric) {
  return absl::StrCat("{instance=~\"$instance\"",
                      HasLabel(metric, "pool") ? ",pool=~\"$pool\"" : "", "}");
}

ordered_json Target(const std::string& expression, const std::string& legend) {
  return {{"datasource", {{"type", "prometheus"}, {"uid", kSource}}},
          {"expr", expression},
          {"legendFormat", legend},
          {"refId", "A"}};
}

std::string Legend(const Metric& metric) {
  std::string legend = "{{instance}}";
  for (const std::string& label : LabelsOf(metric)) absl::StrAppend(&legend, " {{", label, "}}");
  return legend;
}

ordered_json TargetsOf(const Metric& metric) {
  std::vector<std::string> by = LabelsOf(metric);
  by.insert(by.begin(), "instance");
  const std::string series = absl::StrCat(metric.name, Selector(metric));
  switch (metric.type) {
    case Type::kCounter:
      return {Target(absl::StrCat("sum by (", absl::StrJoin(by, ", "), ") (rate(", series,
                                  "[$__rate_interval]))"),
                     Legend(metric))};
    case Type::kHistogram: {
      ordered_json targets = ordered_json::array();
      char ref = 'A';
      for (const char* quantile : {"0.5", "0.99"}) {
        targets.push_back(Target(absl::StrCat("histogram_quantile(", quantile, ", sum by (le, ",
                                              absl::StrJoin(by, ", "), ") (rate(", metric.name,
                                              "_bucket", Selector(metric), "[$__rate_interval])))"),
                                 absl::StrCat(Legend(metric), " q", quantile)));
        targets.back()["refId"] = std::string(1, ref++);
      }
      return targets;
    }
    case Type::kGauge:
      if (metric.unit != Unit::kTime) return {Target(series, Legend(metric))};
      return {Target(absl::StrCat("time() - ", series), Legend(metric))};
  }
  return ordered_json::array();
}

// "evenkeel_vip_packets_total" -> "vip packets"
std::string TitleOf(const Metric& metric) {
  return absl::StrReplaceAll(metric.name, {{"evenkeel_", ""},
                                           {"_timestamp_seconds", " ago"},
                                           {"_total", ""},
                                           {"_ratio", ""},
                                           {"_seconds", ""},
                                           {"_", " "}});
}

ordered_json PanelOf(const Metric& metric, const char* type) {
  ordered_json panel = {{"type", type},
                        {"title", TitleOf(metric)},
                        {"description", std::string(metric.help)},
                        {"datasource", {{"type", "prometheus"}, {"uid", kSource}}},
                        {"fieldConfig",
                         {{"defaults", {{"unit", UnitOf(metric.unit)}, {"min", 0}}},
                          {"overrides", ordered_json::array()}}},
                        {"targets", TargetsOf(metric)}};
  if (metric.unit == Unit::kInfo) {
    panel["targets"][0]["format"] = "table";
    panel["targets"][0]["instant"] = true;
  }
  return panel;
}

// Lays panels out from left to right.
class Grid {
 public:
  void AddRow(std::string_view title) {
    NextLine();
    Place({{"type", "row"},
           {"title", title},
           {"collapsed", false},
           {"panels", ordered_json::array()}},
          kColumns, 1);
  }

  void Place(ordered_json panel, int width, int height) {
    if (x_ + width > kColumns) NextLine();
    panel["id"] = static_cast<int>(panels_.size()) + 1;
    panel["gridPos"] = {{"x", x_}, {"y", y_}, {"w", width}, {"h", height}};
    x_ += width;
    line_ = std::max(line_, height);
    panels_.push_back(std::move(panel));
  }

  ordered_json Take() { return std::move(panels_); }

 private:
  void NextLine() {
    y_ += line_;
    x_ = line_ = 0;
  }

  int x_ = 0, y_ = 0, line_ = 0;
  ordered_json panels_ = ordered_json::array();
};

// What somebody who was woken looks at first.
constexpr Id kFirst[] = {Id::kAlarms,         Id::kPoolSkew, Id::kPending,
                         Id::kDigestMismatch, Id::kRevision, Id::kAppliedTime};

ordered_json Variable(const char* name, const char* label, const char* query) {
  return {{"name", name},
          {"label", label},
          {"type", "query"},
          {"datasource", {{"type", "prometheus"}, {"uid", kSource}}},
          {"query", {{"query", query}, {"refId", name}}},
          {"refresh", 2},
          {"sort", 1},
          {"multi", true},
          {"includeAll", true},
          {"allValue", ".*"},
          {"current", {{"text", "All"}, {"value", "$__all"}}}};
}

}  // namespace

std::string GrafanaDashboard() {
  constexpr int kStatWidth = 4, kStatHeight = 4, kWidth = 12, kHeight = 8;
  Grid grid;
  grid.AddRow("Overview");
  for (const Id id : kFirst) grid.Place(PanelOf(Find(id), "stat"), kStatWidth, kStatHeight);
  grid.Place(PanelOf(Find(Id::kAlarmActive), "table"), kColumns, kHeight);
  std::optional<Section> section;
  for (const Metric& metric : MetricList()) {
    if (section != metric.section) grid.AddRow(ToString(metric.section));
    section = metric.section;
    grid.Place(PanelOf(metric, metric.unit == Unit::kInfo ? "table" : "timeseries"), kWidth,
               kHeight);
  }
  const ordered_json dashboard = {
      {"title", "Evenkeel"},
      {"uid", "evenkeel"},
      {"tags", {"evenkeel", "load balancer"}},
      {"schemaVersion", 37},
      {"editable", true},
      {"refresh", "10s"},
      {"time", {{"from", "now-1h"}, {"to", "now"}}},
      {"templating",
       {{"list",
         {{{"name", "datasource"},
           {"label", "Data source"},
           {"type", "datasource"},
           {"query", "prometheus"}},
          Variable("instance", "Balancer", "label_values(evenkeel_build_info, instance)"),
          Variable("pool", "Pool",
                   "label_values(evenkeel_pool_slots{instance=~\"$instance\"}, pool)")}}}},
      {"panels", grid.Take()}};
  return dashboard.dump(2) + "\n";
}

}  // namespace evenkeel::metrics
