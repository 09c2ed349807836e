// SPDX-License-Identifier: Apache-2.0
#include "control/engine/traffic_sampler.h"

#include <algorithm>
#include <cmath>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "control/traffic/frame.h"

namespace evenkeel::engine {
namespace {

dataplane::SampleOptions OptionsFor(std::chrono::milliseconds window, double packets_per_s) {
  const double expected = packets_per_s * std::chrono::duration<double>(window).count();
  const double one_in = std::round(expected / TrafficSampler::kWanted);
  return {.window = window, .one_in = static_cast<uint32_t>(std::clamp(one_in, 1.0, 1e9))};
}

}  // namespace

absl::StatusOr<TrafficSampler::Result> TrafficSampler::Take(std::chrono::milliseconds window,
                                                            double packets_per_s) {
  if (source_ == nullptr) return absl::UnimplementedError("this daemon cannot look at packets");
  {
    std::lock_guard lock(mutex_);
    if (here_ == kMost) {
      return absl::ResourceExhaustedError(
          absl::StrCat(kMost, " plans look at packets at this moment; try again"));
    }
    ++here_;
  }
  const absl::Cleanup leave = [this] {
    std::lock_guard lock(mutex_);
    --here_;
  };
  std::lock_guard one(one_);
  const dataplane::SampleOptions options = OptionsFor(window, packets_per_s);
  absl::StatusOr<dataplane::Sample> sample = source_(options);
  if (!sample.ok()) return sample.status();
  Result result;
  result.facts = {.one_in = options.one_in,
                  .packets = sample->packets.size(),
                  .missed = sample->missed,
                  .lasted = sample->lasted};
  for (const dataplane::SampledPacket& packet : sample->packets) {
    auto flow = traffic::ParseFrame(packet.head, packet.length);
    if (flow) result.flows.push_back(*std::move(flow));
  }
  return result;
}

}  // namespace evenkeel::engine
