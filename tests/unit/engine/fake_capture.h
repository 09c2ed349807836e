// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_ENGINE_FAKE_CAPTURE_H_
#define EVENKEEL_TESTS_UNIT_ENGINE_FAKE_CAPTURE_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "control/engine/capture_runner.h"

namespace evenkeel::engine {

// What outlives the capture: the kernel.
struct FakeRing {
  std::mutex mutex;
  std::deque<dataplane::CapturedPacket> packets;
  dataplane::CaptureOptions options;
  dataplane::CaptureFilter filter;
  uint64_t taken = 0;
  int started = 0;
  std::atomic<int> kept_alive = 0;
  bool in_place = false;
  absl::Status end;

  CaptureSource Source();
  void Push(const dataplane::CapturedPacket& packet) {
    std::lock_guard lock(mutex);
    packets.push_back(packet);
  }
  bool InPlace() {
    std::lock_guard lock(mutex);
    return in_place;
  }
};

class FakeCapture final : public dataplane::Capture {
 public:
  explicit FakeCapture(FakeRing* ring) : ring_(ring) {}
  ~FakeCapture() override { End().IgnoreError(); }

  void KeepAlive(std::chrono::milliseconds duration) override {
    if (duration.count() > 0) ++ring_->kept_alive;
  }
  absl::Status SetFilter(const dataplane::CaptureFilter& filter) override {
    std::lock_guard lock(ring_->mutex);
    ring_->filter = filter;
    return absl::OkStatus();
  }
  size_t Read(size_t most, const std::function<bool(dataplane::CapturedPacket)>& sink) override {
    size_t got = 0;
    while (got < most) {
      std::unique_lock lock(ring_->mutex);
      if (ring_->packets.empty()) break;
      dataplane::CapturedPacket packet = ring_->packets.front();
      ring_->packets.pop_front();
      ++ring_->taken;
      lock.unlock();
      ++got;
      if (!sink(std::move(packet))) break;
    }
    return got;
  }
  absl::StatusOr<std::vector<dataplane::CaptureCount>> ReadCounts() const override {
    return std::vector<dataplane::CaptureCount>{{.interface = "eth0", .matched = 9, .no_room = 2}};
  }
  bool IsFull() const override {
    std::lock_guard lock(ring_->mutex);
    return ring_->options.max_packets != 0 && ring_->taken >= ring_->options.max_packets;
  }
  absl::Status End() override {
    std::lock_guard lock(ring_->mutex);
    if (!ring_->in_place) return absl::OkStatus();
    ring_->in_place = false;
    return ring_->end;
  }

 private:
  FakeRing* const ring_;
};

inline CaptureSource FakeRing::Source() {
  return [this](const dataplane::CaptureOptions& wanted)
             -> absl::StatusOr<std::unique_ptr<dataplane::Capture>> {
    std::lock_guard lock(mutex);
    options = wanted;
    filter = wanted.filter;
    in_place = true;
    ++started;
    return std::make_unique<FakeCapture>(this);
  };
}

// Of the VIP and the backend with these counter ids.
inline dataplane::CapturedPacket MakeCaptured(uint32_t vip = 7, uint32_t generation = 3) {
  return {.unix_ns = 5,
          .verdict = EK_FORWARD,
          .generation = generation,
          .published = true,
          .vip = vip,
          .backend = 20,
          .slot = 4,
          .ingress = 1,
          .egress = 1,
          .length_in = 3,
          .length_out = 3,
          .in = {'a'},
          .out = {'b'}};
}

}  // namespace evenkeel::engine

#endif  // EVENKEEL_TESTS_UNIT_ENGINE_FAKE_CAPTURE_H_
