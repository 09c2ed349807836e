// SPDX-License-Identifier: Apache-2.0
//
// Live frames of the storm: near end -> balancer on the far end -> near end, where each is checked.
#ifndef EVENKEEL_TESTS_KERNEL_STORM_TRAFFIC_H_
#define EVENKEEL_TESTS_KERNEL_STORM_TRAFFIC_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "tests/harness/live_frames/wire.h"
#include "tests/kernel/storm/states.h"

struct ek_storm;  // libbpf's skeleton

namespace evenkeel::testing {

// The programs and what they know, on no interface.
class StormPrograms {
 public:
  StormPrograms();  // aborts the test program where the kernel refuses
  ~StormPrograms();

  int sender() const;
  int checker() const;

  void SetOwners(uint32_t n, const StormOwners& owners);
  // Written and read while the programs run.
  void SetBegun(uint32_t n);
  void SetPublished(uint32_t n);
  storm_state Read() const;
  void Reset();  // as before the first packet

 private:
  struct Closer {
    void operator()(ek_storm* skeleton) const;
  };
  std::unique_ptr<ek_storm, Closer> skeleton_;
};

// "2 lost, 1 mixed; first at packet 17 ...", or empty.
std::string DescribeFaults(const storm_state& state);

class StormTraffic {
 public:
  StormTraffic(const Wire* wire, const StormPrograms* programs);
  ~StormTraffic();

  // Frames flow until Stop, but for some milliseconds now and then.
  void Start();
  // Returns when what was sent has arrived, or will not any more. 0 or an errno of the sender.
  int Stop();

 private:
  void Send();

  const Wire* const wire_;
  const StormPrograms* const programs_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> error_{0};
  std::thread sender_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_KERNEL_STORM_TRAFFIC_H_
