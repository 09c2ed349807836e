// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_LANE_READER_H_
#define EVENKEEL_CONTROL_DAEMON_LANE_READER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/dataplane/kernel_dataplane.h"
#include "control/detect/input.h"
#include "control/nic/nic.h"

namespace evenkeel::daemon {

// How packets come into this host, for the detector: by the receive queues of the interfaces, where
// their drivers count, and by CPU, where the balancer's own counters do. Used by one thread.
class LaneReader {
 public:
  struct Sources {
    std::vector<std::string> interfaces;  // that are attached
    // Packets for VIPs by CPU.
    std::function<absl::StatusOr<std::vector<uint64_t>>()> cpu_packets;
    // Queues that an interface receives by; 0: not known.
    std::function<uint32_t(const std::string& interface)> queues;
    nic::Ethtool ask = nic::AskKernel;
  };
  explicit LaneReader(Sources sources) : sources_(std::move(sources)) {}

  // Of each kind those that are to get equal parts; none of a kind that has less than two, or of
  // which it is not known which they are.
  std::vector<detect::LaneReading> Read(int64_t steady_ns);

 private:
  struct Cpu {
    uint64_t packets = 0;
    int64_t grew_ns = 0;  // when it had a packet last; 0: never
  };
  void ReadQueues(std::vector<detect::LaneReading>* lanes) const;
  void ReadCpus(int64_t steady_ns, std::vector<detect::LaneReading>* lanes);
  void CountQueues(int64_t steady_ns);

  const Sources sources_;
  std::vector<Cpu> cpus_;
  size_t queues_ = 0;  // of all interfaces
  int64_t count_at_ns_ = 0;
};

// For the detector, once a second. `dataplane` must outlive it.
std::function<std::vector<detect::LaneReading>()> ReadLanes(
    const std::vector<std::string>& interfaces, const dataplane::KernelDataPlane* dataplane,
    std::function<int64_t()> steady_ns);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_LANE_READER_H_
