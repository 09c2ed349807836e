// SPDX-License-Identifier: Apache-2.0
//
// Programs that other users of libxdp attach, and what it says of an interface. All of it is for
// the calling thread's network namespace.
#ifndef EVENKEEL_TESTS_SHARED_LIBXDP_PROGRAMS_H_
#define EVENKEEL_TESTS_SHARED_LIBXDP_PROGRAMS_H_

#include <xdp/libxdp.h>

#include <cstdint>
#include <string>
#include <vector>

namespace evenkeel::testing {

struct FilterOptions {
  uint32_t priority = 10;
  xdp_attach_mode mode = XDP_MODE_NATIVE;
  bool frags = true;
};
// tests/shared/udp_filter.bpf.c. 0, or a negative errno.
int AttachFilter(const std::string& interface, const FilterOptions& options = {});
int DetachFilter(const std::string& interface);

// tests/shared/old_build.bpf.c, over the control map that is pinned there.
int AttachOldBuild(const std::string& interface, const std::string& control_map_pin,
                   uint32_t priority);

// "name priority" of what the dispatcher calls, in its order; empty: there is no dispatcher.
std::vector<std::string> Dispatched(const std::string& interface);
// The id of that program of the dispatcher; 0: there is none.
uint32_t DispatchedId(const std::string& interface, const std::string& name);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_SHARED_LIBXDP_PROGRAMS_H_
