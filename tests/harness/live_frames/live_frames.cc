// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/live_frames/live_frames.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sched.h>

#include <cerrno>

namespace evenkeel::testing {

int SendLiveFrames(int program, const Bytes& frame, uint32_t ifindex, uint32_t count) {
  xdp_md context{};
  context.data_end = static_cast<uint32_t>(frame.size());
  context.ingress_ifindex = ifindex;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<uint32_t>(frame.size());
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  options.repeat = static_cast<int>(count);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  return -bpf_prog_test_run_opts(program, &options);
}

int PinThread(int cpu) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return errno;
  for (int i = CPU_SETSIZE - 1; cpu < 0 && i >= 0; --i) {
    if (CPU_ISSET(i, &set)) cpu = i;
  }
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : errno;
}

}  // namespace evenkeel::testing
