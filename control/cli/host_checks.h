// SPDX-License-Identifier: Apache-2.0
//
// What `evenkeel doctor` can see of this host without the daemon.
#ifndef EVENKEEL_CONTROL_CLI_HOST_CHECKS_H_
#define EVENKEEL_CONTROL_CLI_HOST_CHECKS_H_

#include <string>
#include <vector>

#include "control/engine/engine.h"

namespace evenkeel::cli {

// What is not in a file.
struct HostFacts {
  std::string root = "/";          // where /proc and /sys are
  bool clock_synchronised = true;  // adjtimex(2): STA_UNSYNC is not set
  uint32_t processors = 1;         // online
};

// Kernel, BTF, JIT, BPF file system, memory, clock.
std::vector<engine::Finding> CheckHost(const HostFacts& facts);

// Receive queues of the interfaces that the daemon serves, and their MTU against the bytes that the
// pools' encapsulations add.
std::vector<engine::Finding> CheckInterfaces(const HostFacts& facts, const engine::Status& status);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_HOST_CHECKS_H_
