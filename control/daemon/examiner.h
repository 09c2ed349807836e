// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_EXAMINER_H_
#define EVENKEEL_CONTROL_DAEMON_EXAMINER_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/daemon/health_runner.h"
#include "control/daemon/vip_path.h"
#include "control/daemon/vip_probe.h"
#include "control/dataplane/kernel_dataplane.h"
#include "control/engine/engine.h"
#include "control/engine/evaluate.h"
#include "control/neighbor/neighbor.h"

namespace evenkeel::daemon {

// What `evenkeel doctor` is told that only the daemon can see: the filters and paths of its network
// namespace, its memory, what its kernel lets it trace, and whether servers take packets for VIPs.
// From any thread; who asks servers waits for who does already.
class Examiner {
 public:
  using Marks = std::map<VipPath::Server, uint32_t>;
  struct Sources {
    std::function<neighbor::Resolution(const model::IpAddress&)> resolve;
    std::function<ReturnFacts(const model::IpAddress& vip, const std::string& interface)>
        return_facts = ReadReturnFacts;
    std::function<uint32_t(const std::string& interface)> mtu;
    // Loads what traces the balancer's program, and takes it off again.
    std::function<absl::Status()> trace;
    // As HealthRunner::LendPaths.
    std::function<absl::StatusOr<Marks>(const std::set<VipPath::Server>&)> lend_paths;
    std::function<std::vector<VipAnswer>(const std::vector<probe::Target>&)> ask;
    std::string root = "/";  // where /proc and /sys are; ends with a slash
  };
  explicit Examiner(Sources sources) : sources_(std::move(sources)) {}

  std::vector<engine::Finding> Examine(const engine::DiagnoseOptions& options,
                                       const engine::State& state, const engine::Status& status);

 private:
  using Findings = std::vector<engine::Finding>;
  void CheckRpFilter(const model::Config& config, const engine::Status& status,
                     Findings* findings) const;
  void CheckPaths(const model::Config& config, const engine::Status& status,
                  Findings* findings) const;
  void CheckTracing(Findings* findings) const;
  void AskServers(const model::Config& config, const engine::Status& status, Findings* findings);
  // Servers by the interface that leads to them.
  std::map<std::string, std::set<std::string>> PoolsByInterface(const model::Config& config) const;

  const Sources sources_;
  std::mutex asking_;
};

// All pointers must outlive it.
std::unique_ptr<Examiner> MakeExaminer(HealthRunner* health, dataplane::KernelDataPlane* dataplane,
                                       const neighbor::Resolver* resolver);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_EXAMINER_H_
