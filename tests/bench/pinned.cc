// SPDX-License-Identifier: Apache-2.0
//
// Other people's programs on the same packets.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstring>

#include "tests/bench/harness.h"

namespace evenkeel::bench {

std::string Harness::OpenPinned(const std::string& option, Target* target) {
  const size_t equals = option.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == option.size()) {
    return "-p takes NAME=PATH of a pinned XDP program, not \"" + option + "\"";
  }
  target->name = option.substr(0, equals);
  const std::string path = option.substr(equals + 1);
  target->program = bpf_obj_get(path.c_str());
  if (target->program < 0) return path + ": " + std::strerror(errno);
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(target->program, &info, &size) != 0 ||
      info.type != BPF_PROG_TYPE_XDP) {
    return path + " is not an XDP program";
  }
  // The kernel does not tell whether a program has xdp.frags, but takes it into one kind of array.
  for (const bool frags : {true, false}) {
    target->frags = frags;
    if (Choose(*target)) return "";
  }
  return path + " cannot be called from the wrapper: " + std::strerror(errno);
}

}  // namespace evenkeel::bench
