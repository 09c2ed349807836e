// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_PUBLISHER_KERNEL_H_
#define EVENKEEL_CONTROL_ENGINE_PUBLISHER_KERNEL_H_

#include <memory>
#include <utility>

#include "control/engine/kernel.h"
#include "control/publish/publisher.h"

namespace evenkeel::engine {

// The real one. `publisher` must outlive it.
class PublisherKernel : public Kernel {
 public:
  explicit PublisherKernel(publish::Publisher* publisher) : publisher_(publisher) {}

  absl::StatusOr<publish::AdoptReport> Adopt(
      std::shared_ptr<const guard::BuiltFleet> intent) override {
    return publisher_->Adopt(std::move(intent));
  }
  absl::StatusOr<publish::PublishResult> Publish(const guard::Approval& approval,
                                                 uint64_t revision) override {
    return publisher_->Publish(approval, revision);
  }
  absl::StatusOr<publish::PublishResult> Restore(const guard::Approval& approval,
                                                 uint64_t revision) override {
    return publisher_->Restore(approval, revision);
  }
  absl::StatusOr<publish::KernelState> ReadKernelState() override {
    return publisher_->ReadKernelState();
  }
  std::shared_ptr<const guard::BuiltFleet> applied() const override {
    return publisher_->applied();
  }
  absl::StatusOr<publish::CounterReport> ReadCounters() override {
    return publisher_->ReadCounters();
  }
  publish::TrackingReport Tracking() const override { return publisher_->Tracking(); }
  void LetGo(const std::vector<std::string>& pools) override { publisher_->LetGo(pools); }
  std::vector<publish::ServerUse> UsesOf(const model::IpAddress& server) const override {
    return publisher_->UsesOf(server);
  }
  std::chrono::seconds flow_idle_timeout() const override {
    return publisher_->flow_idle_timeout();
  }
  absl::StatusOr<publish::ExplainResult> Explain(const std::vector<publish::Flow>& flows) override {
    return publisher_->Explain(flows);
  }
  publish::CounterNames Names() const override { return publisher_->Names(); }

 private:
  publish::Publisher* publisher_;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_PUBLISHER_KERNEL_H_
