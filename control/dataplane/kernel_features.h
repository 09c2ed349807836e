// SPDX-License-Identifier: Apache-2.0
//
// Why a kernel does not load the programs: what they use that it does not have.
#ifndef EVENKEEL_CONTROL_DATAPLANE_KERNEL_FEATURES_H_
#define EVENKEEL_CONTROL_DATAPLANE_KERNEL_FEATURES_H_

#include <string>
#include <vector>

struct bpf_object;

namespace evenkeel::dataplane {

struct KernelFeatures {
  std::string release;                    // as of `uname -r`
  bool bpf = true;                        // the system call
  bool xdp = true;                        // the type of program
  std::vector<std::string> maps = {};     // types that are missing, by the kernel's names
  std::vector<std::string> helpers = {};  // functions that are missing, by the kernel's names
};

// Asks the kernel for each map type and helper that `object`, opened, uses. Needs the privilege to
// load programs; without it everything seems to be missing.
KernelFeatures ProbeKernel(const bpf_object* object);

// What is missing and what to do about it. Where nothing is, the verifier itself refused.
std::string ExplainRefusal(const KernelFeatures& features);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_KERNEL_FEATURES_H_
