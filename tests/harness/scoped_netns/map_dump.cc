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

// Calls `visit` with each element's key and value; places without an inner map have none.
template <typename Visit>
void ForEachElement(const UniqueFd& map, Visit visit) {
  const bpf_map_info info = InfoOf(map);
  std::string key(info.key_size, '\0');
  std::string next(info.key_size, '\0');
  std::string value(ValueSize(info), '\0');
  for (bool first = true;
       bpf_map_get_next_key(map.get(), first ? nullptr : key.data(), next.data()) == 0;
       first = false) {
    key = next;
    if (bpf_map_lookup_elem(map.get(), key.data(), value.data()) == 0) visit(key, value);
  }
}

uint32_t InnerId(const std::string& value) {
  uint32_t id = 0;
  std::memcpy(&id, value.data(), sizeof(id));
  return id;
}

std::string Place(const std::string& name, const std::string& key) {
  return absl::StrCat(name, "/", absl::BytesToHexString(key));
}

void DumpMap(const UniqueFd& map, const std::string& name, Dump& dump) {
  const bool of_maps = InfoOf(map).type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
  ForEachElement(map, [&](const std::string& key, const std::string& value) {
    const std::string place = Place(name, key);
    if (of_maps) {
      const UniqueFd inner(bpf_map_get_fd_by_id(InnerId(value)));
      EXPECT_TRUE(inner.valid()) << place;
      if (inner.valid()) DumpMap(inner, place, dump);
    } else if (std::any_of(value.begin(), value.end(), [](char c) { return c != 0; })) {
      dump[place] = absl::BytesToHexString(value);
    }
  });
}

// Calls `visit` with each pinned map and its name.
template <typename Visit>
void ForEachPinned(const std::string& pin_dir, Visit visit) {
  for (const auto& entry : std::filesystem::directory_iterator(pin_dir)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("map_", 0) != 0) continue;
    const UniqueFd map(bpf_obj_get(entry.path().c_str()));
    EXPECT_TRUE(map.valid()) << entry.path();
    if (map.valid()) visit(map, name);
  }
}

}  // namespace

Dump DumpPinnedMaps(const std::string& pin_dir) {
  Dump dump;
  ForEachPinned(pin_dir,
                [&](const UniqueFd& map, const std::string& name) { DumpMap(map, name, dump); });
  return dump;
}

std::map<std::string, uint32_t> ListInnerMaps(const std::string& pin_dir) {
  std::map<std::string, uint32_t> inner;
  ForEachPinned(pin_dir, [&](const UniqueFd& map, const std::string& name) {
    if (InfoOf(map).type != BPF_MAP_TYPE_ARRAY_OF_MAPS) return;
    ForEachElement(map, [&](const std::string& key, const std::string& value) {
      inner[Place(name, key)] = InnerId(value);
    });
  });
  return inner;
}

}  // namespace evenkeel::testing
