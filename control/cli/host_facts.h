// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_HOST_FACTS_H_
#define EVENKEEL_CONTROL_CLI_HOST_FACTS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "control/nic/nic.h"

namespace evenkeel::cli {

// This host, as far as the command itself looks at it.
struct HostFacts {
  std::string root = "/";          // where /proc, /sys and /boot are
  bool clock_synchronised = true;  // adjtimex(2): STA_UNSYNC is not set
  uint32_t processors = 1;         // online
  std::function<nic::Facts(const std::string& interface)> nic;  // null: drivers are not asked

  std::filesystem::path Path(const std::string& path) const;
  bool Exists(const std::string& path) const;
  // The file's text without its last newlines; nullopt: it cannot be read.
  std::optional<std::string> Read(const std::string& path) const;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_HOST_FACTS_H_
