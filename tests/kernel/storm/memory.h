// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_KERNEL_STORM_MEMORY_H_
#define EVENKEEL_TESTS_KERNEL_STORM_MEMORY_H_

#include <cstdint>
#include <ostream>
#include <string>

namespace evenkeel::testing {

struct Memory {
  uint64_t maps = 0;       // pinned ones, and those inside them
  uint64_t map_bytes = 0;  // that the kernel says it uses for them
  uint64_t heap = 0;       // bytes that this process has allocated
  uint64_t resident = 0;   // bytes of this process
};

Memory MeasureMemory(const std::string& pin_dir);

std::ostream& operator<<(std::ostream& out, const Memory& memory);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_KERNEL_STORM_MEMORY_H_
