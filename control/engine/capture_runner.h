// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_CAPTURE_RUNNER_H_
#define EVENKEEL_CONTROL_ENGINE_CAPTURE_RUNNER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "control/engine/capture.h"
#include "control/publish/publisher.h"

namespace evenkeel::engine {

// As of dataplane::KernelDataPlane::StartCapture.
using CaptureSource = std::function<absl::StatusOr<std::unique_ptr<dataplane::Capture>>(
    const dataplane::CaptureOptions&)>;

// Captures, one at a time. Thread-safe.
class CaptureRunner {
 public:
  struct Sources {
    CaptureSource start;  // null: there are none here
    std::function<publish::CounterNames()> names;
    std::function<int64_t()> now_unix_ns;
    // What runs, for people; "": nothing does.
    std::function<void(const std::string&)> tell;
  };
  explicit CaptureRunner(Sources sources) : sources_(std::move(sources)) {}

  // Returns when the time is over, the count is reached, or `sink` wants no more. The balancer is
  // back in its place when the time is over or the count reached, even while `sink` keeps somebody
  // waiting. ResourceExhausted: another one runs; says whose.
  absl::StatusOr<CaptureReport> Run(const CaptureRequest& request, const CaptureSink& sink);

 private:
  absl::Status Claim(const std::string& what, const CaptureRequest& request);
  void Release();

  const Sources sources_;
  std::mutex mutex_;                 // guards below
  std::optional<std::string> runs_;  // who, of what, since when, until when
};

// "packets of vip web that are dropped": what a request is about.
std::string DescribeCapture(const CaptureRequest& request);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_CAPTURE_RUNNER_H_
