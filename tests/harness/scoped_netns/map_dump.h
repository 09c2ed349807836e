// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_MAP_DUMP_H_
#define EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_MAP_DUMP_H_

#include <cstdint>
#include <map>
#include <string>

namespace evenkeel::testing {

// The bytes of every pinned map in `pin_dir`, read with system calls of its own and not through
// the data plane: "map/inner/key" -> hex. Elements that are all zero (unused) are left out, and
// zeros at the end of a table.
std::map<std::string, std::string> DumpPinnedMaps(const std::string& pin_dir);

// The maps inside the pinned maps of maps: "map/key" -> the inner map's id in the kernel, which no
// other map gets while the system runs.
std::map<std::string, uint32_t> ListInnerMaps(const std::string& pin_dir);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_SCOPED_NETNS_MAP_DUMP_H_
