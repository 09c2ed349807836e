// SPDX-License-Identifier: Apache-2.0
#include "tests/property/detect/trials.h"

#include <algorithm>

#include "tests/property/detect/one_pool.h"

namespace evenkeel::detect::simulation {
namespace {

constexpr int kWarm_s = 75, kPatience_s = 60, kNight_s = 8 * 3600;

bool Rises(const std::vector<AlarmEvent>& events) {
  return std::any_of(events.begin(), events.end(), [](const AlarmEvent& event) {
    return event.alarm.severity == Severity::kPage && event.alarm.kind == Kind::kFlows &&
           event.what != AlarmEvent::What::kCleared;
  });
}

bool Clears(const std::vector<AlarmEvent>& events) {
  return std::any_of(events.begin(), events.end(), [](const AlarmEvent& event) {
    return event.what == AlarmEvent::What::kCleared && event.alarm.kind == Kind::kFlows;
  });
}

double DetectionTime(const SkewOptions& options, uint64_t seed) {
  OnePool pool(options.servers, seed);
  for (int second = 0; second < kWarm_s; ++second) {
    pool.Flows(options.flows, 1, options.repeats);
    pool.Tick();
  }
  // Before its beginning there is a part of a second as ever.
  const double before = pool.random.Uniform();
  pool.Flows(options.flows * before, 1, options.repeats);
  if (options.new_generation) {
    ++pool.plan.generation;
    ++pool.plan.revision;
    std::swap(pool.plan.servers[1].built, pool.plan.servers[2].built);
    pool.plan.servers[1].built += 1.0 / 65537;
    pool.plan.servers[2].built -= 1.0 / 65537;
    pool.Configure();
  }
  pool.Flows(options.flows * (1 - before), options.times, options.repeats);
  for (int second = 1; second <= kPatience_s; ++second) {
    if (Rises(pool.Tick())) return second - before;
    pool.Flows(options.flows, options.times, options.repeats);
  }
  return kPatience_s;
}

}  // namespace

std::vector<double> DetectionTimes(const SkewOptions& options) {
  std::vector<double> times;
  for (int trial = 0; trial < options.trials; ++trial) {
    times.push_back(
        DetectionTime(options, options.seed * 1'000'003 + static_cast<uint64_t>(trial)));
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::vector<double> TicketTimes(const SkewOptions& options, int patience_s) {
  std::vector<double> times;
  for (int trial = 0; trial < options.trials; ++trial) {
    OnePool pool(options.servers, options.seed * 1'000'003 + static_cast<uint64_t>(trial));
    double time = patience_s;
    for (int second = -kWarm_s; second < patience_s && time == patience_s; ++second) {
      pool.Flows(options.flows, second < 0 ? 1 : options.times, options.repeats);
      for (const AlarmEvent& event : pool.Tick()) {
        if (event.alarm.kind != Kind::kFlows) continue;
        time = event.alarm.severity == Severity::kTicket ? second + 1 : -1;
      }
    }
    times.push_back(time);
  }
  std::sort(times.begin(), times.end());
  return times;
}

NightResult RunNights(int trials, uint64_t seed) {
  NightResult result;
  for (int trial = 0; trial < trials; ++trial) {
    OnePool pool(10, seed * 1'000'003 + static_cast<uint64_t>(trial));
    bool raised = false, cleared = false, marked = false;
    for (int second = 0; second < 120; ++second) {
      pool.Flows(500, 3);
      raised = Rises(pool.Tick()) || raised;
    }
    for (int second = 0; second < kNight_s; ++second) {
      pool.Flows(0.5, 3);
      cleared = Clears(pool.Tick()) || cleared;
      if (second % 600 == 599) {
        for (const Alarm& alarm : pool.detector.Alarms()) marked = marked || alarm.insufficient;
      }
    }
    result.raised += raised;
    result.cleared_at_night += cleared;
    result.marked += marked;
    cleared = false;
    for (int second = 0; second < 180; ++second) {
      pool.Flows(500, 1);
      cleared = Clears(pool.Tick()) || cleared;
    }
    result.cleared_after += cleared;
  }
  return result;
}

}  // namespace evenkeel::detect::simulation
