// SPDX-License-Identifier: Apache-2.0
#include "control/detect/detector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace evenkeel::detect {

Scene Detector::SceneOf(const PoolPlan* plan, const Time& now) {
  return {thresholds_,
          changes_,
          now,
          plan != nullptr ? plan->revision : 0,
          plan != nullptr ? plan->generation : 0,
          events_};
}

void Detector::Configure(std::vector<PoolPlan> plans, const Time& now) {
  Plans shared;
  for (PoolPlan& plan : plans) shared.push_back(std::make_shared<PoolPlan>(std::move(plan)));
  Adopt(std::move(shared), now);
}

void Detector::Adopt(Plans plans, const Time& now) {
  std::vector<std::unique_ptr<PoolWatch>> before = std::exchange(pools_, {});
  const std::map<std::string, size_t> index = std::exchange(index_, {});
  for (std::shared_ptr<const PoolPlan>& plan : plans) {
    const std::string& name = plan->pool;
    if (!index_.try_emplace(name, pools_.size()).second) continue;
    const auto known = index.find(name);
    if (known == index.end()) {
      pools_.push_back(std::make_unique<PoolWatch>(std::move(plan), thresholds_));
      continue;
    }
    const Scene scene = SceneOf(plan.get(), now);
    pools_.push_back(std::move(before[known->second]));
    pools_.back()->Configure(std::move(plan), scene);
  }
  for (const std::unique_ptr<PoolWatch>& gone : before) {
    if (gone == nullptr) continue;
    for (const Alarm* alarm : gone->book().All()) {
      gone->book().End(std::string(alarm->id), SceneOf(&gone->plan(), now));
    }
  }
}

void Detector::NoteFlow(const FlowSample& sample) {
  const auto found = index_.find(sample.pool);
  if (found != index_.end()) pools_[found->second]->Add(sample);
}

std::vector<AlarmEvent> Detector::Tick(const Reading& reading, const Time& now) {
  const int64_t passed = last_tick_ns_ ? now.steady_ns - *last_tick_ns_ : 1'000'000'000;
  const int64_t seconds = std::max<int64_t>(1, (passed + 500'000'000) / 1'000'000'000);
  last_tick_ns_ = now.steady_ns;
  std::vector<const PoolReading*> read(pools_.size(), nullptr);
  size_t next = 0;
  for (const PoolReading& pool : reading.pools) {
    if (next >= pools_.size() || pools_[next]->plan().pool != pool.pool) {
      const auto found = index_.find(pool.pool);
      if (found == index_.end()) continue;
      next = found->second;
    }
    read[next++] = &pool;
  }
  double largest_flow = 0;
  lanes_.Read(reading.lanes, seconds);
  for (size_t i = 0; i < pools_.size(); ++i) {
    pools_[i]->Read(read[i], seconds, now);
    largest_flow = std::max(largest_flow, pools_[i]->LargestFlow());
  }
  lanes_.Judge(largest_flow, SceneOf(nullptr, now));
  for (const std::unique_ptr<PoolWatch>& pool : pools_) {
    pool->Judge(lanes_, views_, SceneOf(&pool->plan(), now));
  }
  return std::exchange(events_, {});
}

bool Detector::Acknowledge(const std::string& id, std::string who, int64_t unix_ns) {
  if (lanes_.book().Acknowledge(id, who, unix_ns)) return true;
  return std::any_of(pools_.begin(), pools_.end(),
                     [&](const auto& pool) { return pool->book().Acknowledge(id, who, unix_ns); });
}

std::vector<const Alarm*> Detector::Open() const {
  std::vector<const Alarm*> all = lanes_.book().All();
  for (const std::unique_ptr<PoolWatch>& pool : pools_) {
    const std::vector<const Alarm*> open = pool->book().All();
    all.insert(all.end(), open.begin(), open.end());
  }
  std::sort(all.begin(), all.end(), [](const Alarm* a, const Alarm* b) {
    return a->severity != b->severity ? a->severity > b->severity : a->id < b->id;
  });
  return all;
}

std::vector<Alarm> Detector::Alarms() const {
  std::vector<Alarm> alarms;
  for (const Alarm* alarm : Open()) alarms.push_back(*alarm);
  return alarms;
}

std::optional<PoolReport> Detector::Report(const std::string& pool, const Time& now) const {
  const auto found = index_.find(pool);
  if (found == index_.end()) return std::nullopt;
  return pools_[found->second]->Report(thresholds_, now);
}

std::vector<PoolReport> Detector::Reports(const Time& now) const {
  std::vector<PoolReport> reports;
  for (const std::unique_ptr<PoolWatch>& pool : pools_) {
    reports.push_back(pool->Report(thresholds_, now));
  }
  return reports;
}

std::vector<std::string> Detector::WantSamples() const {
  std::vector<std::string> pools;
  for (const std::unique_ptr<PoolWatch>& pool : pools_) {
    if (pool->wants_sample() || lanes_.wants_sample()) pools.push_back(pool->plan().pool);
  }
  return pools;
}

std::string Detector::Objection(int64_t since_unix_ns) const {
  const Alarm* first = nullptr;
  for (const Alarm* alarm : Open()) {
    if (alarm->severity != Severity::kPage || !IsBalancer(alarm->diagnosis) ||
        alarm->page_since_unix_ns < since_unix_ns) {
      continue;
    }
    if (first == nullptr || alarm->page_since_unix_ns < first->page_since_unix_ns) first = alarm;
  }
  if (first == nullptr) return "";
  return absl::StrCat("pool ", first->pool, ": ", first->text);
}

}  // namespace evenkeel::detect
