// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_HARNESS_H_
#define EVENKEEL_TESTS_BENCH_HARNESS_H_

#include <memory>
#include <string>

#include "tests/bench/scenario.h"

struct ek_bench;  // libbpf's skeleton

namespace evenkeel::bench {

enum class Target { kNothing, kKnown, kFloor, kBalancer };

// The balancer and the wrappers, loaded. Aborts with a message where the kernel refuses.
class Harness {
 public:
  Harness();
  ~Harness();

  // Makes `scenario` the traffic of the next passes.
  void Load(const Scenario& scenario);

  // The packets of up to `flows` flows must leave as the oracle says, and every counter must agree;
  // otherwise the message says what differed.
  std::string Check(const Scenario& scenario, uint32_t flows = 1000);

  // Nanoseconds of processor time per packet over `passes` packets.
  double Measure(Target target, uint32_t passes);

  // Nanoseconds of the kernel's clock per packet, rounded down. Where that clock counts
  // instructions, it is their number.
  uint32_t Count(Target target, uint32_t passes);

  // New VIP maps, in which the keys collide in other ways.
  void Rehash();

 private:
  struct Closer {
    void operator()(ek_bench* skeleton) const;
  };
  void SetTarget(Target target);
  struct Time {
    double processor_ns = 0;  // of all passes, with the system call
    uint32_t clock_ns = 0;    // of one pass
  };
  testing::RunResult Run(uint32_t passes, Time* time);
  Time RunTarget(Target target, uint32_t passes);
  std::string CheckFrames(const Scenario& scenario, uint32_t flows);
  std::string CheckCounters(const Scenario& scenario);

  testing::RawBalancer balancer_;
  std::unique_ptr<ek_bench, Closer> skeleton_;
  uint32_t generation_ = 0;
  testing::Bytes frame_;
  bool ipv4_ = true;
};

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_HARNESS_H_
