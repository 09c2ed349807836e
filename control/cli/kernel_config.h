// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_KERNEL_CONFIG_H_
#define EVENKEEL_CONTROL_CLI_KERNEL_CONFIG_H_

#include <map>
#include <optional>
#include <string>

#include "control/cli/host_facts.h"
#include "control/engine/finding.h"

namespace evenkeel::cli {

// What the running kernel was built with: option, without CONFIG_, and value ("y", "m").
struct KernelConfig {
  std::string path;  // where it was found
  std::map<std::string, std::string, std::less<>> options;
};

// Of /proc/config.gz, else /boot/config-RELEASE; nullopt: neither can be read.
std::optional<KernelConfig> ReadKernelConfig(const HostFacts& facts);

// Whether it has what the programs and the daemon's features need. What can be seen to work is
// not missing, whatever a text says that may be another kernel's. `runs`: a daemon answers, whose
// programs are loaded.
engine::Finding CheckKernelConfig(const HostFacts& facts, bool runs);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_KERNEL_CONFIG_H_
