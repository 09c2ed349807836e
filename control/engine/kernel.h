// SPDX-License-Identifier: Apache-2.0
//
// What the engine asks of the publisher, so that the engine can be tested without a kernel.
#ifndef EVENKEEL_CONTROL_ENGINE_KERNEL_H_
#define EVENKEEL_CONTROL_ENGINE_KERNEL_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/guard/guard.h"
#include "control/publish/publisher.h"

namespace evenkeel::engine {

// Contracts as of the publish::Publisher functions of the same names.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual absl::StatusOr<publish::AdoptReport> Adopt(
      std::shared_ptr<const guard::BuiltFleet> intent) = 0;
  virtual absl::StatusOr<publish::PublishResult> Publish(const guard::Approval& approval,
                                                         uint64_t revision) = 0;
  virtual absl::StatusOr<publish::PublishResult> Restore(const guard::Approval& approval,
                                                         uint64_t revision) = 0;
  virtual absl::StatusOr<publish::KernelState> ReadKernelState() = 0;
  virtual std::shared_ptr<const guard::BuiltFleet> applied() const = 0;
  virtual absl::StatusOr<publish::CounterReport> ReadCounters() = 0;
  virtual publish::TrackingReport Tracking() const = 0;
  virtual void LetGo(const std::vector<std::string>& pools) = 0;
  virtual std::vector<publish::ServerUse> UsesOf(const model::IpAddress& server) const = 0;
  virtual std::chrono::seconds flow_idle_timeout() const = 0;
  virtual absl::StatusOr<publish::ExplainResult> Explain(
      const std::vector<publish::Flow>& flows) = 0;
  virtual publish::CounterNames Names() const = 0;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_KERNEL_H_
