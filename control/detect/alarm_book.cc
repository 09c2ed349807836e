// SPDX-License-Identifier: Apache-2.0
#include "control/detect/alarm_book.h"

#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::detect {
namespace {

constexpr double kNs = 1e9;

int64_t RecentNs(const Scene& scene) {
  return static_cast<int64_t>(scene.thresholds.recent_change_s * kNs);
}

// Of the last change, where that can be the cause. What the configuration says may have come to
// light late: its traffic was small, or nobody watched.
std::string UndoOf(const Alarm& alarm, const Scene& scene) {
  if (!IsBalancer(alarm.diagnosis) || alarm.changes.empty()) return "";
  const Change& last = alarm.changes.front();
  const bool recent = alarm.since_unix_ns - last.unix_ns <= RecentNs(scene);
  return recent || alarm.diagnosis == Diagnosis::kWeights ? last.undo : "";
}

}  // namespace

std::string AlarmBook::IdOf(const Subject& subject) const {
  std::string id = absl::StrCat(model::Av(ToString(subject.kind)));
  if (!pool_.empty()) absl::StrAppend(&id, "/", pool_);
  if (subject.server) {
    absl::StrAppend(&id, "/", subject.server->ToString());
  } else if (!subject.name.empty()) {
    absl::StrAppend(&id, "/", subject.name);
  }
  return id;
}

Alarm AlarmBook::Begin(const Subject& subject, const Scene& scene) const {
  Alarm alarm;
  alarm.id = IdOf(subject);
  alarm.pool = pool_;
  alarm.kind = subject.kind;
  alarm.server = subject.server;
  alarm.name = subject.name;
  alarm.since_unix_ns = scene.now.unix_ns;
  alarm.revision = scene.revision;
  alarm.generation = scene.generation;
  return alarm;
}

void AlarmBook::Explain(const Scene& scene, Alarm* alarm) const {
  const int64_t from = scene.now.unix_ns - RecentNs(scene);
  alarm->changes = scene.changes.Of(pool_, from, scene.now.unix_ns);
  alarm->health = scene.changes.HealthOf(pool_, from, scene.now.unix_ns);
}

void AlarmBook::Raise(const Subject& subject, Finding finding, const Scene& scene) {
  const auto [place, raised] = open_.try_emplace(IdOf(subject));
  Open& open = place->second;
  if (raised) open.alarm = Begin(subject, scene);
  Alarm& alarm = open.alarm;
  open.calm_since_ns.reset();
  const bool escalated = finding.severity == Severity::kPage && alarm.page_since_unix_ns == 0;
  const bool changed = alarm.insufficient || alarm.diagnosis != finding.diagnosis;
  if (escalated) {
    alarm.severity = Severity::kPage;
    alarm.page_since_unix_ns = scene.now.unix_ns;
    alarm.acknowledged.reset();  // who took a ticket has not seen the page
  }
  alarm.insufficient = false;
  alarm.diagnosis = finding.diagnosis;
  alarm.text = std::move(finding.text);
  alarm.evidence = std::move(finding.evidence);
  if (raised || escalated) Explain(scene, &alarm);
  alarm.undo = UndoOf(alarm, scene);
  if (raised) {
    scene.events.push_back({AlarmEvent::What::kRaised, alarm});
  } else if (escalated) {
    scene.events.push_back({AlarmEvent::What::kEscalated, alarm});
  } else if (changed) {
    scene.events.push_back({AlarmEvent::What::kChanged, alarm});
  }
}

void AlarmBook::Note(const Subject& subject, Calm calm, const Scene& scene) {
  if (open_.empty()) return;
  const auto found = open_.find(IdOf(subject));
  if (found == open_.end()) return;
  Open& open = found->second;
  const bool insufficient = calm == Calm::kUnknown;
  if (open.alarm.insufficient != insufficient) {
    open.alarm.insufficient = insufficient;
    scene.events.push_back({AlarmEvent::What::kChanged, open.alarm});
  }
  if (calm != Calm::kRecovered) {
    open.calm_since_ns.reset();
    return;
  }
  if (!open.calm_since_ns) open.calm_since_ns = scene.now.steady_ns;
  const auto calm_ns = static_cast<double>(scene.now.steady_ns - *open.calm_since_ns);
  if (calm_ns >= scene.thresholds.clear_hold_s * kNs) End(found->first, scene);
}

void AlarmBook::End(const std::string& id, const Scene& scene) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  scene.events.push_back({AlarmEvent::What::kCleared, std::move(found->second.alarm)});
  open_.erase(found);
}

bool AlarmBook::Acknowledge(const std::string& id, std::string who, int64_t unix_ns) {
  const auto found = open_.find(id);
  if (found == open_.end()) return false;
  found->second.alarm.acknowledged = {std::move(who), unix_ns};
  return true;
}

const Alarm* AlarmBook::Find(const Subject& subject) const {
  if (open_.empty()) return nullptr;
  const auto found = open_.find(IdOf(subject));
  return found == open_.end() ? nullptr : &found->second.alarm;
}

const Alarm* AlarmBook::Worst(Kind kind) const {
  const Alarm* worst = nullptr;
  for (const auto& [id, open] : open_) {
    if (open.alarm.kind != kind) continue;
    if (worst == nullptr || open.alarm.severity > worst->severity ||
        (open.alarm.severity == worst->severity &&
         open.alarm.evidence.ratio > worst->evidence.ratio)) {
      worst = &open.alarm;
    }
  }
  return worst;
}

std::vector<const Alarm*> AlarmBook::All() const {
  std::vector<const Alarm*> all;
  for (const auto& [id, open] : open_) all.push_back(&open.alarm);
  return all;
}

}  // namespace evenkeel::detect
