// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_NIC_CHECKS_H_
#define EVENKEEL_CONTROL_CLI_NIC_CHECKS_H_

#include <vector>

#include "control/cli/host_facts.h"
#include "control/engine/engine.h"

namespace evenkeel::cli {

// How an interface's driver takes packets in: its name and XDP mode, its receive queues against
// the processors, whether they get equal parts, and who serves their interrupts. What a driver
// does not tell is no fault.
std::vector<engine::Finding> CheckNic(const HostFacts& facts,
                                      const engine::InterfaceStatus& interface,
                                      const engine::Status& status);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_NIC_CHECKS_H_
