// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/tallies.h"

#include <set>

namespace evenkeel::metrics {
namespace {

double Seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

const char* NameOf(engine::Outcome::Kind kind) {
  return kind == engine::Outcome::Kind::kApplied   ? "applied"
         : kind == engine::Outcome::Kind::kRefused ? "refused"
                                                   : "failed";
}

}  // namespace

void Durations::Add(double seconds) {
  ++count;
  sum += seconds;
  for (size_t i = 0; i < kBounds.size(); ++i) up_to[i] += seconds <= kBounds[i];
}

Tallies::Tallies() {
  for (const char* outcome : {"applied", "refused", "failed"}) now_.changes[outcome] = 0;
  for (const guard::RuleInfo& rule : guard::Rules()) {
    const std::string id(rule.id);
    for (const char* severity : {"warn", "block"}) now_.violations[{id, severity}] = 0;
    now_.overrides[id] = 0;
  }
  for (const char* phase : {"stage", "verify", "swap", "total"}) now_.publications[phase] = {};
  for (const char* severity : {"ticket", "page"}) now_.alarms[severity] = 0;
}

void Tallies::CountJudged(const engine::Judged& judged) {
  const std::lock_guard lock(mutex_);
  ++now_.changes[NameOf(judged.kind)];
  for (const guard::Violation& violation : judged.verdict.violations) {
    ++now_.violations[{violation.rule, std::string(guard::ToString(violation.severity))}];
  }
  if (judged.kind != engine::Outcome::Kind::kApplied) return;
  std::set<std::string> rules;
  for (const history::Override& o : judged.overrides) rules.insert(o.rule);
  for (const std::string& rule : rules) ++now_.overrides[rule];
}

void Tallies::CountPublished(const absl::StatusOr<publish::PublishResult>& result, double total_s) {
  const std::lock_guard lock(mutex_);
  if (!result.ok()) {
    ++now_.publish_failures;
    return;
  }
  now_.publications["stage"].Add(Seconds(result->stage));
  now_.publications["verify"].Add(Seconds(result->verify));
  now_.publications["swap"].Add(Seconds(result->swap));
  now_.publications["total"].Add(total_s);
}

void Tallies::CountAlarm(const detect::AlarmEvent& event) {
  using What = detect::AlarmEvent::What;
  if (event.what != What::kRaised && event.what != What::kEscalated) return;
  const std::lock_guard lock(mutex_);
  ++now_.alarms[std::string(detect::ToString(event.alarm.severity))];
}

void Tallies::CountTick(int64_t unix_ns, double duration_s) {
  const std::lock_guard lock(mutex_);
  now_.last_tick_unix_ns = unix_ns;
  now_.ticks.Add(duration_s);
}

Tallies::Snapshot Tallies::Read() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

}  // namespace evenkeel::metrics
