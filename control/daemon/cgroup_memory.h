// SPDX-License-Identifier: Apache-2.0
//
// How much memory this process may use yet, by its control groups. The kernel counts maps there,
// too, and since Linux 5.11 no longer against RLIMIT_MEMLOCK.
#ifndef EVENKEEL_CONTROL_DAEMON_CGROUP_MEMORY_H_
#define EVENKEEL_CONTROL_DAEMON_CGROUP_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "control/engine/finding.h"
#include "control/model/config.h"

namespace evenkeel::daemon {

struct MemoryLimit {
  std::string group;   // directory of the control group
  uint64_t limit = 0;  // bytes
  uint64_t used = 0;   // ... without what the kernel can take back at once

  uint64_t left() const { return used < limit ? limit - used : 0; }
};

// That of the group, or of one above it, which leaves the least; version 2 or 1. nullopt: there is
// none, or none can be read. `root`: where /proc and /sys are.
std::optional<MemoryLimit> ReadMemoryLimit(const std::string& root);

// Bytes that an update of every pool and of all source rules takes at its worst: all is staged
// beside what is there, and held once more by the daemon.
uint64_t StagingBytes(const model::Config& config);

engine::Finding CheckMemoryLimit(const std::optional<MemoryLimit>& limit, uint64_t staging);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_CGROUP_MEMORY_H_
