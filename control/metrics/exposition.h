// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_METRICS_EXPOSITION_H_
#define EVENKEEL_CONTROL_METRICS_EXPOSITION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "control/engine/engine.h"
#include "control/metrics/tallies.h"

namespace evenkeel::metrics {

// The content type of Text(): Prometheus's text format.
inline constexpr char kTextFormat[] = "text/plain; version=0.0.4; charset=utf-8";

// Counters of a pool that only grow: what its backends counted since the first reading, also those
// that are gone by now.
class PoolTotals {
 public:
  void Add(const engine::Status& status);
  // By pool; pools that are gone are not in it.
  const std::map<std::string, dataplane::Counter>& totals() const { return totals_; }

 private:
  using Backend = std::pair<std::string, std::string>;  // pool, backend
  bool first_ = true;
  std::map<Backend, dataplane::Counter> last_;
  std::map<std::string, dataplane::Counter> totals_;
};

// Gathers and renders them when they are asked for, at most once a second however many ask.
// Thread-safe.
class Exposition {
 public:
  struct Sources {
    std::function<absl::StatusOr<engine::Status>()> status;  // a quick one
    const Tallies* tallies = nullptr;
    std::function<int64_t()> now_unix_ns;
    std::function<int64_t()> steady_ns;
  };
  explicit Exposition(Sources sources) : sources_(std::move(sources)) {}

  absl::StatusOr<std::string> Text();

 private:
  const Sources sources_;
  std::mutex mutex_;  // guards all below
  PoolTotals totals_;
  std::string text_;
  int64_t text_ns_ = 0;  // when it was made
};

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_CONTROL_METRICS_EXPOSITION_H_
