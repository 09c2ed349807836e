// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_HARNESS_H_
#define EVENKEEL_TESTS_BENCH_HARNESS_H_

#include <memory>
#include <string>

#include "tests/bench/scenario.h"

struct ek_bench;  // libbpf's skeleton

namespace evenkeel::bench {

// The balancer and the wrappers, loaded. Aborts with a message where the kernel refuses.
class Harness {
 public:
  // `scenarios`: those that will be loaded; they decide how much memory is needed.
  explicit Harness(const std::vector<Scenario>& scenarios);
  ~Harness();

  // A program to run packets through.
  struct Target {
    std::string name;
    int program = -1;
    bool frags = true;  // loaded with xdp.frags
  };
  Target nothing() const;  // the harness itself
  Target known() const;    // and BENCH_KNOWN_INSTRUCTIONS instructions
  Target floor() const;    // a bare encapsulation
  Target balancer() const;
  // NAME=PATH of a pinned XDP program of somebody else's. What it needs, maps for instance, is set
  // up already. The error says what is wrong, and the target is not to be used.
  std::string OpenPinned(const std::string& option, Target* target);

  // Makes `scenario` the traffic of the next passes.
  void Load(const Scenario& scenario);

  // The packets of up to `flows` flows must leave as the oracle says, and every counter must agree;
  // otherwise the message says what differed.
  std::string Check(const Scenario& scenario, uint32_t flows = 1000);

  // What `target` returns for the last of the first packets: "XDP_TX".
  std::string VerdictOf(const Target& target, uint32_t packets = 1);

  // Nanoseconds of processor time per packet over `passes` packets, of the flows that are next.
  double Measure(const Target& target, uint32_t passes);

  // Nanoseconds of the kernel's clock per packet, rounded down. Where that clock counts
  // instructions, it is their number.
  uint32_t Count(const Target& target, uint32_t passes);

  // New VIP maps, in which the keys collide in other ways.
  void Rehash();

  // For the forwarding bench.
  testing::RawBalancer& raw_balancer() { return balancer_; }
  ek_bench& skeleton() { return *skeleton_; }

 private:
  struct Closer {
    void operator()(ek_bench* skeleton) const;
  };
  enum class Wrapper { kIpv4, kIpv6, kImage };
  struct Time {
    double processor_ns = 0;  // of all passes, with the system call
    uint32_t clock_ns = 0;    // of one pass
  };
  bool Choose(const Target& target);  // false: the kernel refuses, errno says why
  int WrapperFor(const Target& target) const;
  // Flows `first` and on.
  testing::RunResult Run(const Target& target, uint32_t first, uint32_t passes, Time* time);
  // Flow `index` in the last of so many passes.
  std::string CheckFlow(const Scenario& scenario, uint32_t index, uint32_t passes);
  std::string CheckFrames(const Scenario& scenario, uint32_t flows);
  std::string CheckCounters(const Scenario& scenario);

  testing::RawBalancer balancer_;
  std::unique_ptr<ek_bench, Closer> skeleton_;
  uint32_t generation_ = 0;
  uint32_t next_flow_ = 0;
  testing::Bytes frame_;
  Wrapper wrapper_ = Wrapper::kIpv4;
};

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_HARNESS_H_
