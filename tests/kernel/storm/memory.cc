// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/storm/memory.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "control/dataplane/unique_fd.h"
#include "tests/harness/scoped_netns/map_dump.h"

namespace evenkeel::testing {
namespace {

using dataplane::UniqueFd;

void AddMap(const UniqueFd& map, Memory& memory) {
  EXPECT_TRUE(map.valid());
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(map.get()));
  std::string key;
  uint64_t bytes = 0;
  while (info >> key && key != "memlock:") continue;
  info >> bytes;
  EXPECT_GT(bytes, 0u) << "no memlock in a map's fdinfo";
  ++memory.maps;
  memory.map_bytes += bytes;
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Memory MeasureMemory(const std::string& pin_dir) {
  Memory memory;
  for (const auto& entry : std::filesystem::directory_iterator(pin_dir)) {
    if (entry.path().filename().string().rfind("map_", 0) != 0) continue;
    AddMap(UniqueFd(bpf_obj_get(entry.path().c_str())), memory);
  }
  for (const auto& [place, id] : ListInnerMaps(pin_dir)) {
    AddMap(UniqueFd(bpf_map_get_fd_by_id(id)), memory);
  }
  const struct mallinfo2 heap = mallinfo2();
  memory.heap = heap.uordblks + heap.hblkhd;
  memory.resident = ResidentBytes();
  return memory;
}

std::ostream& operator<<(std::ostream& out, const Memory& memory) {
  return out << memory.maps << " maps of " << memory.map_bytes / 1024 << " KiB, heap "
             << memory.heap / 1024 << " KiB, resident " << memory.resident / 1024 << " KiB";
}

}  // namespace evenkeel::testing
