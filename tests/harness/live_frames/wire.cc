// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/live_frames/wire.h"

#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <string>

namespace evenkeel::testing {

Wire::Wire() {
  const std::string near = kNear, far = kFar;
  // No address is set, and without IPv6 none sets itself.
  netns_.Run("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; ip link add " + near +
             " numrxqueues 1 numtxqueues 1 type veth peer name " + far +
             " numrxqueues 1 numtxqueues 1; ip link set " + near + " up; ip link set " + far +
             " up");
  const ScopedNetns::Entered entered(netns_);
  near_ = if_nametoindex(kNear);
  far_ = if_nametoindex(kFar);
}

int Wire::Attach(uint32_t end, int program) const {
  const ScopedNetns::Entered entered(netns_);
  return -bpf_xdp_attach(static_cast<int>(end), program, XDP_FLAGS_DRV_MODE, nullptr);
}

}  // namespace evenkeel::testing
