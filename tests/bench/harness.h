// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_HARNESS_H_
#define EVENKEEL_TESTS_BENCH_HARNESS_H_

#include <memory>
#include <string>

#include "tests/bench/scenario.h"

struct ek_bench;  // libbpf's skeleton

namespace evenkeel::bench {

enum class Target { kNothing, kFloor, kBalancer };

// The balancer and the wrappers, loaded. Aborts with a message where the kernel refuses.
class Harness {
 public:
  Harness();
  ~Harness();

  // Makes `scenario` the traffic of the next passes.
  void Load(const Scenario& scenario);

  // Every flow's packet must leave as the oracle says, and every counter must agree; otherwise the
  // message says what differed.
  std::string Check(const Scenario& scenario);

  // Nanoseconds of processor time per packet over `passes` packets.
  double Measure(Target target, uint32_t passes);

 private:
  struct Closer {
    void operator()(ek_bench* skeleton) const;
  };
  void SetTarget(Target target);
  testing::RunResult Run(uint32_t passes, double* nanoseconds);
  std::string CheckFrames(const Scenario& scenario);
  std::string CheckCounters(const Scenario& scenario);

  testing::RawBalancer balancer_;
  std::unique_ptr<ek_bench, Closer> skeleton_;
  testing::Bytes frame_;
  bool ipv4_ = true;
};

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_HARNESS_H_
