// SPDX-License-Identifier: Apache-2.0
//
// What `evenkeel doctor` can see of this host without the daemon.
#ifndef EVENKEEL_CONTROL_CLI_HOST_CHECKS_H_
#define EVENKEEL_CONTROL_CLI_HOST_CHECKS_H_

#include <vector>

#include "control/cli/host_facts.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// Kernel, BTF, JIT, BPF file system, memory, clock.
std::vector<engine::Finding> CheckHost(const HostFacts& facts);

// Drivers and receive queues of the interfaces that the daemon serves, and their MTU against the
// bytes that the pools' encapsulations add.
std::vector<engine::Finding> CheckInterfaces(const HostFacts& facts, const engine::Status& status);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_HOST_CHECKS_H_
