// SPDX-License-Identifier: Apache-2.0
//
// The capture build over the maps of a balancer. With EVENKEEL_TEST_PROGRAM=capture in the
// environment it is what every RawBalancer runs: all scenarios hold for it as well.
#ifndef EVENKEEL_TESTS_HARNESS_PROG_RUNNER_CAPTURE_TWIN_H_
#define EVENKEEL_TESTS_HARNESS_PROG_RUNNER_CAPTURE_TWIN_H_

#include <memory>
#include <vector>

#include "bpf/abi/capture.h"
#include "tests/harness/packet/bytes.h"

struct ek_balancer;  // libbpf's skeletons
struct ek_capture;
struct ring_buffer;

namespace evenkeel::testing {

// A packet as the program put it into the ring.
struct Captured {
  ek_captured note{};
  Bytes in, out;
};

bool CaptureIsUnderTest();

// Takes everything that comes by, whole, until told otherwise.
class CaptureTwin {
 public:
  explicit CaptureTwin(const ek_balancer& original);
  ~CaptureTwin();

  int program_fd() const;
  // Shared with the program.
  ek_capture_control& control() { return *control_; }
  // Starts over: everything is taken again, whole, nothing has been taken yet.
  void Reset();
  void AskForVip(uint32_t counter);
  void AskForBackend(uint32_t counter);
  // What the ring has, which is empty thereafter.
  std::vector<Captured> Take();
  // Of packets from `ingress`, over all CPUs.
  ek_capture_count Count(uint32_t ingress) const;

 private:
  struct Closer {
    void operator()(ek_capture* skeleton) const;
    void operator()(ring_buffer* ring) const;
  };
  std::unique_ptr<ek_capture, Closer> skeleton_;
  std::unique_ptr<ring_buffer, Closer> ring_;
  ek_capture_control* control_ = nullptr;
  std::vector<Captured> taken_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PROG_RUNNER_CAPTURE_TWIN_H_
