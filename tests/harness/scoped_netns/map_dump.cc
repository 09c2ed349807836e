// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/scoped_netns/map_dump.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::testing {
namespace {

using dataplane::UniqueFd;
using Dump = std::map<std::string, std::string>;

bpf_map_info InfoOf(const UniqueFd& map) {
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(map.get(), &info, &size), 0);
  return info;
}

size_t ValueSize(const bpf_map_info& info) {
  const bool per_cpu = info.type == BPF_MAP_TYPE_PERCPU_ARRAY;
  if (!per_cpu) return info.value_size;
  return (info.value_size + 7u) / 8 * 8 * static_cast<size_t>(libbpf_num_possible_cpus());
}

void DumpMap(const UniqueFd& map, const std::string& name, Dump& dump) {
  const bpf_map_info info = InfoOf(map);
  std::string key(info.key_size, '\0');
  std::string next(info.key_size, '\0');
  std::string value(ValueSize(info), '\0');
  for (bool first = true;
       bpf_map_get_next_key(map.get(), first ? nullptr : key.data(), next.data()) == 0;
       first = false) {
    key = next;
    // Empty places of a map of maps.
    if (bpf_map_lookup_elem(map.get(), key.data(), value.data()) != 0) continue;
    const std::string place = absl::StrCat(name, "/", absl::BytesToHexString(key));
    if (info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
      uint32_t id = 0;
      std::memcpy(&id, value.data(), sizeof(id));
      const UniqueFd inner(bpf_map_get_fd_by_id(id));
      EXPECT_TRUE(inner.valid()) << place;
      if (inner.valid()) DumpMap(inner, place, dump);
      continue;
    }
    if (std::all_of(value.begin(), value.end(), [](char c) { return c == 0; })) continue;
    dump[place] = absl::BytesToHexString(value);
  }
}

}  // namespace

Dump DumpPinnedMaps(const std::string& pin_dir) {
  Dump dump;
  for (const auto& entry : std::filesystem::directory_iterator(pin_dir)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("map_", 0) != 0) continue;
    const UniqueFd map(bpf_obj_get(entry.path().c_str()));
    EXPECT_TRUE(map.valid()) << entry.path();
    if (map.valid()) DumpMap(map, name, dump);
  }
  return dump;
}

}  // namespace evenkeel::testing
