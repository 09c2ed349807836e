// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/tallies.h"

#include <gtest/gtest.h>

namespace evenkeel::metrics {
namespace {

guard::Violation Broken(const std::string& rule, guard::Severity severity) {
  guard::Violation violation;
  violation.rule = rule;
  violation.severity = severity;
  return violation;
}

TEST(Durations, AreCumulative) {
  Durations durations;
  durations.Add(0.0001);  // at a bound: inside
  durations.Add(0.3);
  durations.Add(100);
  EXPECT_EQ(durations.count, 3u);
  EXPECT_DOUBLE_EQ(durations.sum, 100.3001);
  for (size_t i = 0; i < Durations::kBounds.size(); ++i) {
    EXPECT_EQ(durations.up_to[i], 1u + (Durations::kBounds[i] >= 0.3)) << Durations::kBounds[i];
  }
}

TEST(Tallies, EveryRuleAndOutcomeIsThereBeforeItHappens) {
  const auto now = Tallies().Read();
  EXPECT_EQ(now.changes.size(), 3u);
  EXPECT_EQ(now.violations.size(), 2 * guard::Rules().size());
  EXPECT_EQ(now.overrides.size(), guard::Rules().size());
  EXPECT_EQ(now.alarms.size(), 2u);
  EXPECT_EQ(now.publications.size(), 4u);
  EXPECT_EQ(now.last_tick_unix_ns, 0);
}

TEST(Tallies, CountChangesByOutcomeAndRule) {
  Tallies tallies;
  guard::Verdict verdict;
  verdict.violations = {Broken("LB001", guard::Severity::kBlock),
                        Broken("LB001", guard::Severity::kBlock),
                        Broken("LB006", guard::Severity::kWarn)};
  std::vector<history::Override> overrides(2);
  overrides[0].rule = overrides[1].rule = "LB004";
  tallies.CountJudged(
      {.kind = engine::Outcome::Kind::kRefused, .verdict = verdict, .overrides = overrides});
  auto now = tallies.Read();
  EXPECT_EQ(now.changes["refused"], 1u);
  EXPECT_EQ((now.violations[{"LB001", "block"}]), 2u);
  EXPECT_EQ((now.violations[{"LB006", "warn"}]), 1u);
  EXPECT_EQ(now.overrides["LB004"], 0u) << "it was refused all the same";
  tallies.CountJudged(
      {.kind = engine::Outcome::Kind::kApplied, .verdict = verdict, .overrides = overrides});
  tallies.CountJudged(
      {.kind = engine::Outcome::Kind::kFailed, .verdict = verdict, .overrides = overrides});
  now = tallies.Read();
  EXPECT_EQ(now.changes["applied"], 1u);
  EXPECT_EQ(now.changes["failed"], 1u);
  EXPECT_EQ(now.overrides["LB004"], 1u);
}

TEST(Tallies, CountPublications) {
  Tallies tallies;
  publish::PublishResult result;
  result.stage = std::chrono::microseconds(2000);
  result.verify = std::chrono::microseconds(3000);
  result.swap = std::chrono::microseconds(1);
  tallies.CountPublished(result, 0.0051);
  tallies.CountPublished(absl::InternalError("no"), 9);
  const auto now = tallies.Read();
  EXPECT_EQ(now.publish_failures, 1u);
  EXPECT_DOUBLE_EQ(now.publications.at("stage").sum, 0.002);
  EXPECT_DOUBLE_EQ(now.publications.at("verify").sum, 0.003);
  EXPECT_DOUBLE_EQ(now.publications.at("swap").sum, 0.000001);
  EXPECT_DOUBLE_EQ(now.publications.at("total").sum, 0.0051);
  EXPECT_EQ(now.publications.at("total").count, 1u);
}

TEST(Tallies, CountAlarmsWhenTheyRise) {
  Tallies tallies;
  using What = detect::AlarmEvent::What;
  detect::AlarmEvent event;
  event.alarm.severity = detect::Severity::kTicket;
  for (const What what : {What::kRaised, What::kChanged, What::kCleared}) {
    event.what = what;
    tallies.CountAlarm(event);
  }
  event.alarm.severity = detect::Severity::kPage;
  event.what = What::kEscalated;
  tallies.CountAlarm(event);
  const auto now = tallies.Read();
  EXPECT_EQ(now.alarms.at("ticket"), 1u);
  EXPECT_EQ(now.alarms.at("page"), 1u);
}

TEST(Tallies, TheHeartbeatIsTheLastTick) {
  Tallies tallies;
  tallies.CountTick(5, 0.25);
  tallies.CountTick(7, 0.5);
  const auto now = tallies.Read();
  EXPECT_EQ(now.last_tick_unix_ns, 7);
  EXPECT_EQ(now.ticks.count, 2u);
  EXPECT_DOUBLE_EQ(now.ticks.sum, 0.75);
}

}  // namespace
}  // namespace evenkeel::metrics
