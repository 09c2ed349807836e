// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_LIVE_FRAMES_LIVE_FRAMES_H_
#define EVENKEEL_TESTS_HARNESS_LIVE_FRAMES_LIVE_FRAMES_H_

#include <cstdint>

#include "tests/harness/packet/bytes.h"

namespace evenkeel::testing {

// Runs `program` on `count` real frames, as if they had arrived on the interface: with XDP_TX they
// leave through it. The kernel uses its buffers again and restores a frame's bounds, not its bytes
// (which are `frame`'s at first): the program writes all that whoever gets the frame changes.
//
// The frames are sent, and received by a veth peer's program, in the calling thread's time and on
// its CPU; pin the thread where their order matters. Each call takes some 16 ms besides. The
// interface is one of the thread's network namespace. Returns 0 or an errno.
int SendLiveFrames(int program, const Bytes& frame, uint32_t ifindex, uint32_t count);

// The calling thread stays on `cpu`; -1: on the last one that it may use, where the kernel has the
// least work of its own. Returns 0 or an errno.
int PinThread(int cpu = -1);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_LIVE_FRAMES_LIVE_FRAMES_H_
