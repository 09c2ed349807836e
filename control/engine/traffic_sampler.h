// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_TRAFFIC_SAMPLER_H_
#define EVENKEEL_CONTROL_ENGINE_TRAFFIC_SAMPLER_H_

#include <chrono>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "control/dataplane/sampler.h"
#include "control/publish/probe.h"
#include "control/traffic/live_traffic.h"

namespace evenkeel::engine {

// As of dataplane::TakeSample.
using SampleSource =
    std::function<absl::StatusOr<dataplane::Sample>(const dataplane::SampleOptions&)>;

// Samples for those who plan, one at a time. Thread-safe.
class TrafficSampler {
 public:
  // Those that wait, and the one that is looked for.
  static constexpr int kMost = 4;
  // Packets that a sample is to have: what is 1 % of them is told from 2 %.
  static constexpr double kWanted = 3000;

  explicit TrafficSampler(SampleSource source) : source_(std::move(source)) {}

  struct Result {
    traffic::SampleFacts facts;
    std::vector<publish::Flow> flows;
  };
  // `packets_per_s`: those that come in now; 0: not known. ResourceExhausted: too many wait.
  absl::StatusOr<Result> Take(std::chrono::milliseconds window, double packets_per_s);

 private:
  const SampleSource source_;
  std::mutex one_;  // held while one samples
  std::mutex mutex_;
  int here_ = 0;  // mutex_
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_TRAFFIC_SAMPLER_H_
