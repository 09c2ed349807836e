// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/prog_runner/prog_runner.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace evenkeel::testing {

RunResult RunProgram(int program_fd, const Bytes& frame) {
  RunResult result;
  result.frame.resize(frame.size() + 256);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<uint32_t>(frame.size());
  options.data_out = result.frame.data();
  options.data_size_out = static_cast<uint32_t>(result.frame.size());
  options.repeat = 1;
  if (bpf_prog_test_run_opts(program_fd, &options) != 0) {
    result.error = errno;
    result.frame.clear();
    return result;
  }
  result.action = options.retval;
  result.frame.resize(options.data_size_out);
  return result;
}

bool MayLoadPrograms() {
  // return XDP_PASS
  const std::array<bpf_insn, 2> pass = {{
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  }};
  const int fd =
      bpf_prog_load(BPF_PROG_TYPE_XDP, "ek_probe", "GPL", pass.data(), pass.size(), nullptr);
  if (fd < 0) return false;
  close(fd);
  return true;
}

bool KernelRequired() { return std::getenv("EVENKEEL_REQUIRE_KERNEL") != nullptr; }

}  // namespace evenkeel::testing
