// SPDX-License-Identifier: Apache-2.0
#include "control/detect/lanes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/detect/words.h"

namespace evenkeel::detect {
namespace {

const char* NameOf(LaneReading::Kind kind) {
  switch (kind) {
    case LaneReading::Kind::kQueue:
      return "queue";
    case LaneReading::Kind::kCpu:
      return "CPU";
    case LaneReading::Kind::kInterface:
      return "interface";
    case LaneReading::Kind::kHost:
      return "host";
  }
  return "";
}

constexpr uint32_t kWaitForSample = 3;  // ticks

bool IsUneven(const Measure& measure, const Thresholds& thresholds) {
  return measure.expected >= thresholds.lane_packets &&
         (measure.ratio >= thresholds.page_ratio ||
          measure.observed >= thresholds.everything * measure.total);
}

}  // namespace

void Lanes::Read(const std::vector<LaneReading>& lanes, int64_t seconds) {
  std::map<LaneReading::Kind, std::vector<const LaneReading*>> by_kind;
  for (const LaneReading& lane : lanes) by_kind[lane.kind].push_back(&lane);
  std::erase_if(groups_, [&](const auto& group) { return !by_kind.contains(group.first); });
  for (const auto& [kind, read] : by_kind) {
    Group& group = groups_[kind];
    std::vector<std::string> names;
    std::vector<uint64_t> counters;
    for (const LaneReading* lane : read) {
      names.push_back(lane->name);
      counters.push_back(lane->packets);
    }
    if (names != group.names) {
      group = {std::move(names), std::move(counters),
               std::vector<float>(read.size(), 1.0f / static_cast<float>(read.size())),
               Series(read.size())};
      continue;
    }
    group.packets.Advance(seconds);
    for (size_t i = 0; i < counters.size(); ++i) {
      if (counters[i] > group.last[i]) {
        group.packets.Add(i, static_cast<double>(counters[i] - group.last[i]));
      }
    }
    group.last = std::move(counters);
  }
}

void Lanes::Judge(double largest_flow, const Scene& scene) {
  uneven_.clear();
  known_ = false;
  packets_ = 0;
  any_uneven_ = false;
  for (const auto& [kind, group] : groups_) JudgeGroup(kind, group, largest_flow, scene);
  uneven_ticks_ = any_uneven_ ? uneven_ticks_ + 1 : 0;
  for (const Alarm* alarm : book_.All()) {
    const bool gone = std::none_of(groups_.begin(), groups_.end(), [&](const auto& group) {
      const auto& names = group.second.names;
      return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return alarm->name == absl::StrCat(NameOf(group.first), " ", name);
      });
    });
    if (gone) book_.End(std::string(alarm->id), scene);
  }
}

void Lanes::JudgeGroup(LaneReading::Kind kind, const Group& group, double largest_flow,
                       const Scene& scene) {
  if (group.names.size() < 2) return;
  short_.Take(group.packets, Window::k10, group.shares);
  long_.Take(group.packets, Window::k60, group.shares);
  packets_ = std::max(packets_, long_.total());
  for (size_t i = 0; i < group.names.size(); ++i) {
    const Measure recent = short_.Of(i, scene.thresholds, {});
    const Measure measure = long_.Of(i, scene.thresholds, {});
    known_ = known_ || measure.expected >= scene.thresholds.lane_packets;
    const std::string name = absl::StrCat(NameOf(kind), " ", group.names[i]);
    const Subject subject{Kind::kUpstream, std::nullopt, name};
    if (!IsUneven(recent, scene.thresholds) || !IsUneven(measure, scene.thresholds)) {
      const bool enough = measure.expected >= scene.thresholds.lane_packets;
      const bool even = measure.ratio < scene.thresholds.clear_ratio;
      book_.Note(subject, !enough ? Calm::kUnknown : (even ? Calm::kRecovered : Calm::kBetween),
                 scene);
      continue;
    }
    any_uneven_ = true;
    const std::string what = absl::StrCat(name, " gets ", Percent(measure.observed / measure.total),
                                          " of the packets instead of ", Percent(measure.share));
    const bool elephant = largest_flow >= (measure.observed - measure.expected) / 2;
    if (!elephant) uneven_ = what;
    // A sample may show that it is one flow; it is on its way.
    if (largest_flow == 0 && uneven_ticks_ < kWaitForSample) continue;
    book_.Raise(subject,
                {Severity::kTicket, elephant ? Diagnosis::kElephant : Diagnosis::kUpstream,
                 absl::StrCat(what, elephant ? ": a single flow is most of it."
                                             : ": ECMP of the routers or RSS of the interface "
                                               "spreads unevenly, before the balancer."),
                 ToEvidence(measure, Window::k60, "packets")},
                scene);
  }
}

}  // namespace evenkeel::detect
