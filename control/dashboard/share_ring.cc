// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/share_ring.h"

#include <algorithm>
#include <limits>

namespace evenkeel::dashboard {
namespace {

constexpr int64_t kIntervalsMs[] = {5'000, 10'000, 20'000, 30'000, 60'000, 120'000, 300'000};

// Since `before`; a counter that began anew counts from 0.
uint32_t Grown(uint64_t now, uint64_t before) {
  const uint64_t grown = now >= before ? now - before : now;
  return static_cast<uint32_t>(std::min<uint64_t>(grown, std::numeric_limits<uint32_t>::max()));
}

size_t CountBackends(const engine::Status& status) {
  size_t count = 0;
  for (const engine::PoolStatus& pool : status.pools) {
    if (count + pool.backends.size() > ShareRing::kMaxBackends) break;
    count += pool.backends.size();
  }
  return count;
}

}  // namespace

int64_t ShareRing::Interval(size_t backends) {
  for (const int64_t interval : kIntervalsMs) {
    if (backends * static_cast<size_t>(kKeptMs / interval) <= kMaxPoints) return interval;
  }
  return *std::prev(std::end(kIntervalsMs));
}

bool ShareRing::Due(int64_t unix_ms) const {
  // A clock that was set back must not end it.
  return last_unix_ms_ == 0 || unix_ms - last_unix_ms_ >= interval_ms_ || unix_ms < last_unix_ms_;
}

bool ShareRing::Described(const engine::Status& status) const {
  if (layout_ == nullptr) return false;
  size_t backends = 0, pools = 0;
  for (const engine::PoolStatus& pool : status.pools) {
    if (backends + pool.backends.size() > kMaxBackends) break;
    const auto found = layout_->find(pool.name);
    if (found == layout_->end() || found->second.first != backends ||
        !std::equal(pool.backends.begin(), pool.backends.end(), found->second.backends.begin(),
                    found->second.backends.end(),
                    [](const auto& a, const std::string& name) { return a.name == name; })) {
      return false;
    }
    backends += pool.backends.size();
    ++pools;
  }
  return pools == layout_->size();
}

void ShareRing::Describe(const engine::Status& status) {
  if (Described(status)) return;
  auto layout = std::make_shared<Layout>();
  size_t first = 0;
  for (const engine::PoolStatus& pool : status.pools) {
    if (first + pool.backends.size() > kMaxBackends) break;
    Span& span = (*layout)[pool.name];
    span.first = first;
    for (const engine::BackendStatus& backend : pool.backends) {
      span.backends.push_back(backend.name);
    }
    first += pool.backends.size();
  }
  layout_ = std::move(layout);
}

void ShareRing::Add(const engine::Status& status, int64_t unix_ms) {
  const size_t backends = CountBackends(status);
  interval_ms_ = Interval(backends);
  Describe(status);
  Stored stored{.layout = layout_, .sample = {}};
  Sample& sample = stored.sample;
  sample.unix_ms = unix_ms;
  sample.lasted_ms = last_unix_ms_ == 0 ? 0 : std::max<int64_t>(unix_ms - last_unix_ms_, 1);
  sample.revision = status.applied.revision;
  sample.points.reserve(backends);
  std::map<std::pair<std::string, std::string>, dataplane::Counter> now;
  for (const engine::PoolStatus& pool : status.pools) {
    if (sample.points.size() + pool.backends.size() > kMaxBackends) break;
    for (const engine::BackendStatus& backend : pool.backends) {
      SharePoint& point = sample.points.emplace_back();
      point.expected = static_cast<float>(backend.share);
      const auto key = std::make_pair(pool.name, backend.name);
      const auto before = last_.find(key);
      // One that is new counts from 0, but for those that are first seen with the daemon.
      if (sample.lasted_ms != 0) {
        const dataplane::Counter from =
            before == last_.end() ? dataplane::Counter{} : before->second;
        point.flows = Grown(backend.counter.new_flows, from.new_flows);
        point.packets = Grown(backend.counter.packets, from.packets);
      }
      now.emplace(key, backend.counter);
    }
  }
  last_ = std::move(now);
  last_unix_ms_ = unix_ms;
  points_ += sample.points.size();
  samples_.push_back(std::move(stored));
  while (!samples_.empty() &&
         (points_ > kMaxPoints || samples_.front().sample.unix_ms < unix_ms - kKeptMs)) {
    points_ -= samples_.front().sample.points.size();
    samples_.pop_front();
  }
}

std::vector<ShareRing::Segment> ShareRing::Read(const std::string& pool,
                                                int64_t since_unix_ms) const {
  std::vector<Segment> segments;
  const Layout* layout = nullptr;
  for (const Stored& stored : samples_) {
    if (stored.sample.unix_ms <= since_unix_ms) continue;
    const auto found = stored.layout->find(pool);
    if (found == stored.layout->end()) {
      layout = nullptr;
      continue;
    }
    const Span& span = found->second;
    const bool same = layout != nullptr &&
                      (layout == stored.layout.get() || segments.back().backends == span.backends);
    if (!same) segments.push_back({.backends = span.backends, .samples = {}});
    layout = stored.layout.get();
    const auto first = stored.sample.points.begin() + static_cast<ptrdiff_t>(span.first);
    segments.back().samples.push_back(
        {.unix_ms = stored.sample.unix_ms,
         .lasted_ms = stored.sample.lasted_ms,
         .revision = stored.sample.revision,
         .points = {first, first + static_cast<ptrdiff_t>(span.backends.size())}});
  }
  return segments;
}

}  // namespace evenkeel::dashboard
