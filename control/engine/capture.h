// SPDX-License-Identifier: Apache-2.0
//
// A capture: packets before and after the balancer, with what it decided, for somebody who listens.
#ifndef EVENKEEL_CONTROL_ENGINE_CAPTURE_H_
#define EVENKEEL_CONTROL_ENGINE_CAPTURE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/dataplane/capture.h"

namespace evenkeel::engine {

inline constexpr std::chrono::seconds kDefaultCapture{60};
inline constexpr std::chrono::seconds kMaxCapture{600};

// At least one of vips, pool, backend, only_drops or all. What is named must all hold.
struct CaptureRequest {
  std::vector<std::string> vips{};  // by name: any of them
  std::string pool{};               // VIPs that lead to it; with `backend`, whose it is
  std::string backend{};            // of any pool, without `pool`
  bool only_drops = false;
  bool all = false;  // whatever comes in, to no VIP either
  uint32_t snaplen = 256;
  uint32_t rate = 10000;                            // packets per second
  uint64_t max_packets = 0;                         // 0: no limit
  std::chrono::seconds duration = kDefaultCapture;  // 1 s .. kMaxCapture
  std::string author{};
};

struct CapturePacket {
  int64_t unix_ns = 0;
  std::string verdict{};             // as bpf/abi/verdict.h names it
  std::string vip{}, pool{};         // empty: not known, or for none
  std::string backend{}, address{};  // empty: it did not get so far
  std::string ingress{}, egress{};   // interfaces; egress empty: it does not leave
  std::optional<uint32_t> slot{};
  bool published = false;  // false: there was no generation
  uint32_t generation = 0;
  uint64_t revision = 0;  // behind it; 0: not known
  uint32_t length_in = 0, length_out = 0;
  std::string in{}, out{};  // bytes of the frames, as far as snaplen goes
};

// What came since the last one, and counts since the beginning, by interface.
struct CaptureNews {
  std::vector<CapturePacket> packets{};
  std::vector<dataplane::CaptureCount> counts{};
};

// Called with the interfaces as soon as the capture has begun, then with what comes, a few times a
// second with nothing but counts, and more often with null, so that who listens can look whether to
// go on: false ends it. May wait: what does not fit into the ring meanwhile is missed, and counted.
using CaptureSink = std::function<bool(const CaptureNews*)>;

struct CaptureReport {
  enum class End { kListener, kTime, kCount } end = End::kListener;
  int64_t began_unix_ns = 0, ended_unix_ns = 0;
  uint64_t packets = 0;  // that the sink got
  std::vector<dataplane::CaptureCount> counts{};
  std::string problem{};  // the balancer could not be put back: why; empty: it is back
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_CAPTURE_H_
