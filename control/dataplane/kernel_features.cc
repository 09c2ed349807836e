// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace evenkeel::dataplane {
namespace {

constexpr int kMinMajor = 6;
constexpr int kMinMinor = 1;

std::string HelperName(int id) {
#define EK_HELPER_NAME(name) "bpf_" #name
  static constexpr const char* kNames[] = {__BPF_FUNC_MAPPER(EK_HELPER_NAME)};
#undef EK_HELPER_NAME
  if (id < 0 || static_cast<size_t>(id) >= std::size(kNames)) return absl::StrCat("helper ", id);
  return kNames[id];
}

std::set<int> HelpersOf(const bpf_object* object) {
  std::set<int> helpers;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, const_cast<bpf_object*>(object)) {
    const bpf_insn* instructions = bpf_program__insns(program);
    for (size_t i = 0; i < bpf_program__insn_cnt(program); ++i) {
      const bpf_insn& in = instructions[i];
      // Other calls are those of our own functions.
      if (in.code == (BPF_JMP | BPF_CALL) && in.src_reg == 0) helpers.insert(in.imm);
    }
  }
  return helpers;
}

std::set<bpf_map_type> MapTypesOf(const bpf_object* object) {
  std::set<bpf_map_type> types;
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) types.insert(bpf_map__type(map));
  return types;
}

bool HasBpf() { return syscall(__NR_bpf, 0, nullptr, 0) == 0 || errno != ENOSYS; }

// A release that cannot be read is not called old.
bool TooOld(const std::string& release) {
  int major = 0, minor = 0;
  if (std::sscanf(release.c_str(), "%d.%d", &major, &minor) != 2) return false;
  return major < kMinMajor || (major == kMinMajor && minor < kMinMinor);
}

}  // namespace

KernelFeatures ProbeKernel(const bpf_object* object) {
  KernelFeatures features;
  utsname name{};
  if (uname(&name) == 0) features.release = name.release;
  features.bpf = HasBpf();
  if (!features.bpf) return features;
  features.xdp = libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, nullptr) != 0;
  for (const bpf_map_type type : MapTypesOf(object)) {
    // Negative: the probe does not know; then it is not called missing.
    if (libbpf_probe_bpf_map_type(type, nullptr) == 0) {
      features.maps.push_back(libbpf_bpf_map_type_str(type));
    }
  }
  if (!features.xdp) return features;
  for (const int id : HelpersOf(object)) {
    const auto helper = static_cast<bpf_func_id>(id);
    if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helper, nullptr) == 0) {
      features.helpers.push_back(HelperName(id));
    }
  }
  return features;
}

std::string ExplainRefusal(const KernelFeatures& features) {
  const std::string kernel = absl::StrCat("Linux ", features.release);
  std::vector<std::string> missing;
  if (!features.bpf) missing.push_back("the bpf() system call (CONFIG_BPF_SYSCALL=y)");
  if (!features.xdp) missing.push_back("XDP programs (CONFIG_NET=y, CONFIG_BPF_SYSCALL=y)");
  if (!features.maps.empty()) {
    missing.push_back(absl::StrCat("maps of the type ", absl::StrJoin(features.maps, ", ")));
  }
  if (!features.helpers.empty()) {
    missing.push_back(absl::StrCat("the function ", absl::StrJoin(features.helpers, ", ")));
  }
  const std::string boot = absl::StrCat("boot Linux ", kMinMajor, ".", kMinMinor,
                                        " or newer; Debian 12's own kernel is one");
  if (!missing.empty()) {
    return absl::StrCat(kernel, " lacks ", absl::StrJoin(missing, " and "), ": ", boot);
  }
  if (TooOld(features.release)) return absl::StrCat(kernel, " is too old: ", boot);
  return absl::StrCat("the verifier of ", kernel,
                      " refuses it, though nothing is missing: report this with the lines above, "
                      "and boot another kernel, 6.1, 6.12 and 6.18 are tested");
}

}  // namespace evenkeel::dataplane
