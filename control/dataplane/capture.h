// SPDX-License-Identifier: Apache-2.0
//
// Packets before and after the balancer, with what it decided (docs/adr/0051-capture.md).
#ifndef EVENKEEL_CONTROL_DATAPLANE_CAPTURE_H_
#define EVENKEEL_CONTROL_DATAPLANE_CAPTURE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/capture.h"
#include "bpf/abi/verdict.h"

namespace evenkeel::dataplane {

// All that are given must hold.
struct CaptureFilter {
  std::optional<std::vector<uint32_t>> vips{};      // counter ids
  std::optional<std::vector<uint32_t>> backends{};  // counter ids
  bool only_drops = false;

  friend bool operator==(const CaptureFilter&, const CaptureFilter&) = default;
};

struct CaptureOptions {
  CaptureFilter filter{};
  uint32_t snaplen = 256;    // 1 .. EK_CAPTURE_MAX_SNAP bytes of a frame, before and after
  uint32_t rate = 10000;     // packets per second, 1 .. kMaxCaptureRate
  uint64_t max_packets = 0;  // 0: no limit
};
inline constexpr uint32_t kMaxCaptureRate = 100000;

struct CapturedPacket {
  int64_t unix_ns = 0;
  ek_verdict verdict = EK_FORWARD;
  uint32_t generation = 0;
  bool published = false;                // false: there was no generation
  std::optional<uint32_t> vip, backend;  // counter ids
  std::optional<uint32_t> slot;
  uint32_t ingress = 0;  // ifindex
  uint32_t egress = 0;   // ifindex; 0: it does not leave
  uint32_t length_in = 0, length_out = 0;
  std::vector<uint8_t> in, out;  // as far as snaplen goes
};

// By the interface that the packets came in on.
struct CaptureCount {
  std::string interface;
  uint64_t matched = 0;
  uint64_t over_rate = 0;  // of these, not taken
  uint64_t no_room = 0;    // of these, not taken: nobody read fast enough

  uint64_t missed() const { return over_rate + no_room; }
};

// A running capture: the capture build is what packets enter. Thread-safe, but for Read, which one
// thread at a time may call.
class Capture {
 public:
  virtual ~Capture() = default;  // Ends it

  // Copies packets for so long from now, unless it is called again: 0 stops that at once.
  virtual void KeepAlive(std::chrono::milliseconds duration) = 0;
  virtual absl::Status SetFilter(const CaptureFilter& filter) = 0;
  // Hands over what is there, at most so many, until `sink` wants no more. The number of those that
  // it got.
  virtual size_t Read(size_t most, const std::function<bool(CapturedPacket)>& sink) = 0;
  virtual absl::StatusOr<std::vector<CaptureCount>> ReadCounts() const = 0;
  // max_packets are taken: no more come.
  virtual bool IsFull() const = 0;
  // Puts the balancer back where it was. What was taken can still be read. Idempotent.
  virtual absl::Status End() = 0;
};

// What user space makes of a record of the ring; `monotonic_to_unix_ns` is added to its time.
// Nothing: it is not one.
std::optional<CapturedPacket> ParseCaptured(const void* data, size_t size,
                                            int64_t monotonic_to_unix_ns);

absl::Status CheckCaptureOptions(const CaptureOptions& options);

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_CAPTURE_H_
