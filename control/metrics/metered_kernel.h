// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_METRICS_METERED_KERNEL_H_
#define EVENKEEL_CONTROL_METRICS_METERED_KERNEL_H_

#include "control/engine/publisher_kernel.h"
#include "control/metrics/tallies.h"

namespace evenkeel::metrics {

// The publisher, with the time that publications take; whoever asks for them.
class MeteredKernel final : public engine::PublisherKernel {
 public:
  // Both must outlive it.
  MeteredKernel(publish::Publisher* publisher, Tallies* tallies)
      : PublisherKernel(publisher), tallies_(tallies) {}

  absl::StatusOr<publish::PublishResult> Publish(const guard::Approval& approval,
                                                 uint64_t revision) override {
    return Timed([&] { return PublisherKernel::Publish(approval, revision); });
  }
  absl::StatusOr<publish::PublishResult> Restore(const guard::Approval& approval,
                                                 uint64_t revision) override {
    return Timed([&] { return PublisherKernel::Restore(approval, revision); });
  }

 private:
  template <typename F>
  absl::StatusOr<publish::PublishResult> Timed(F&& publish) {
    const auto start = std::chrono::steady_clock::now();
    absl::StatusOr<publish::PublishResult> result = publish();
    tallies_->CountPublished(
        result, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return result;
  }

  Tallies* const tallies_;
};

}  // namespace evenkeel::metrics

#endif  // EVENKEEL_CONTROL_METRICS_METERED_KERNEL_H_
