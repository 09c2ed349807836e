// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DASHBOARD_SHARE_RING_H_
#define EVENKEEL_CONTROL_DASHBOARD_SHARE_RING_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/engine/engine.h"

namespace evenkeel::dashboard {

// What a backend was to get and got, between a sample and the one before.
struct SharePoint {
  float expected = 0;  // share of the pool's slots, 0..1
  uint32_t flows = 0;  // new ones
  uint32_t packets = 0;
};

// The shares of the last hour, so that a page that is opened later shows what a change did. Bounded
// memory: the more backends, the fewer samples (Interval).
class ShareRing {
 public:
  static constexpr int64_t kKeptMs = 3'600'000;
  static constexpr size_t kMaxPoints = 1'000'000;  // 12 MB
  static constexpr size_t kMaxBackends = 80'000;   // pools beyond are left out

  // Between two samples of so many backends, in ms: 5 s up to 1388, 5 min at most.
  static int64_t Interval(size_t backends);

  // Whether a sample is due at `unix_ms`.
  bool Due(int64_t unix_ms) const;
  void Add(const engine::Status& status, int64_t unix_ms);

  struct Sample {
    int64_t unix_ms = 0;
    int64_t lasted_ms = 0;  // since the sample before; 0: that is not known, nor what was counted
    uint64_t revision = 0;
    std::vector<SharePoint> points;  // one for each backend
  };
  // Samples in a row with the same backends.
  struct Segment {
    std::vector<std::string> backends;
    std::vector<Sample> samples;
  };
  // Those of `pool` after `since_unix_ms`, oldest first.
  std::vector<Segment> Read(const std::string& pool, int64_t since_unix_ms) const;

  size_t points() const { return points_; }
  int64_t interval_ms() const { return interval_ms_; }

 private:
  struct Span {
    size_t first = 0;
    std::vector<std::string> backends;
  };
  using Layout = std::map<std::string, Span>;  // by pool
  struct Stored {
    std::shared_ptr<const Layout> layout;
    Sample sample;  // points of all pools
  };

  void Describe(const engine::Status& status);
  bool Described(const engine::Status& status) const;

  std::shared_ptr<const Layout> layout_;  // of the newest
  std::map<std::pair<std::string, std::string>, dataplane::Counter> last_;
  std::deque<Stored> samples_;
  size_t points_ = 0;
  int64_t interval_ms_ = 0;
  int64_t last_unix_ms_ = 0;  // 0: none yet
};

}  // namespace evenkeel::dashboard

#endif  // EVENKEEL_CONTROL_DASHBOARD_SHARE_RING_H_
