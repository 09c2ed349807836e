// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_LIVE_FRAMES_WIRE_H_
#define EVENKEEL_TESTS_HARNESS_LIVE_FRAMES_WIRE_H_

#include "tests/harness/scoped_netns/scoped_netns.h"

namespace evenkeel::testing {

// A veth pair in a namespace of its own, both ends up, one queue each. The kernel itself sends
// nothing over it. An end receives what its peer's XDP_TX sends only while it has a native XDP
// program.
class Wire {
 public:
  static constexpr const char* kNear = "near0";
  static constexpr const char* kFar = "far0";

  Wire();

  const ScopedNetns& netns() const { return netns_; }
  uint32_t near() const { return near_; }  // index; 0: could not be made, the test has failed
  uint32_t far() const { return far_; }

  // Puts `program` onto the end in native mode, in place of another. Returns 0 or an errno.
  int Attach(uint32_t end, int program) const;

 private:
  ScopedNetns netns_;
  uint32_t near_ = 0, far_ = 0;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_LIVE_FRAMES_WIRE_H_
