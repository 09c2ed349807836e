// SPDX-License-Identifier: Apache-2.0
//
// Heads of real packets, as they enter a program (docs/adr/0033-sampling-live-traffic.md).
#ifndef EVENKEEL_CONTROL_DATAPLANE_SAMPLER_H_
#define EVENKEEL_CONTROL_DATAPLANE_SAMPLER_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace evenkeel::dataplane {

struct SampleOptions {
  std::chrono::milliseconds window{300};  // 1 ms .. kMaxSampleWindow
  uint32_t one_in = 1;                    // packets; at least 1. Chosen at random
  uint32_t max_packets = 4096;            // 1 .. kMaxSampledPackets; then it ends early
};
inline constexpr std::chrono::milliseconds kMaxSampleWindow{2000};
inline constexpr uint32_t kMaxSampledPackets = 16384;

struct SampledPacket {
  std::vector<uint8_t> head;  // from the Ethernet header on, at most EK_SAMPLE_HEAD bytes
  uint32_t length = 0;        // bytes of the whole frame
};

struct Sample {
  std::vector<SampledPacket> packets;
  uint64_t missed = 0;  // chosen, but there was no room left
  std::chrono::milliseconds lasted{0};
};

// Looks at what enters the XDP programs `programs` (file descriptors), each with a main function
// `ek_balancer`. Returns after the window; nothing is loaded or attached by then, whatever the
// answer, nor if the process dies meanwhile. InvalidArgument: options out of range. Other errors
// are the kernel's: PermissionDenied where it lets nobody trace programs (fentry).
absl::StatusOr<Sample> TakeSample(std::span<const int> programs, const SampleOptions& options);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_SAMPLER_H_
