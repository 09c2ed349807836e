// SPDX-License-Identifier: Apache-2.0
//
// Runs frames through a loaded program (BPF_PROG_TEST_RUN).
#ifndef EVENKEEL_TESTS_HARNESS_PROG_RUNNER_PROG_RUNNER_H_
#define EVENKEEL_TESTS_HARNESS_PROG_RUNNER_PROG_RUNNER_H_

#include <linux/bpf.h>

#include "tests/harness/packet/packet.h"

namespace evenkeel::testing {

// The kernel refuses shorter frames with EINVAL.
inline constexpr size_t kMinRunLength = 14;

struct RunResult {
  int error = 0;  // errno of the run itself
  uint32_t action = 0;
  Bytes frame;
};

// Larger than one page makes a multi-buffer frame.
RunResult RunProgram(int program_fd, const Bytes& frame);

// Whether this process may load programs; if not, says so. A test that needs the kernel begins with
//   EK_NEED_KERNEL();
// which fails where EVENKEEL_REQUIRE_KERNEL is set and skips elsewhere.
bool MayLoadPrograms();
bool KernelRequired();

#define EK_NEED_KERNEL()                                                                  \
  if (!evenkeel::testing::MayLoadPrograms()) {                                            \
    if (evenkeel::testing::KernelRequired())                                              \
      FAIL() << "needs root (CAP_BPF, CAP_NET_ADMIN) and EVENKEEL_REQUIRE_KERNEL is set"; \
    GTEST_SKIP() << "needs root (CAP_BPF, CAP_NET_ADMIN)";                                \
  }                                                                                       \
  static_assert(true, "")

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PROG_RUNNER_PROG_RUNNER_H_
