// SPDX-License-Identifier: Apache-2.0
//
// The balancer with maps that a test fills by hand, faults included: no guard, no publisher. Its
// maps belong to this process alone and are attached to nothing.
#ifndef EVENKEEL_TESTS_HARNESS_PROG_RUNNER_RAW_TABLES_H_
#define EVENKEEL_TESTS_HARNESS_PROG_RUNNER_RAW_TABLES_H_

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "bpf/abi/maps.h"
#include "bpf/abi/verdict.h"
#include "tests/harness/packet/oracle.h"
#include "tests/harness/prog_runner/capture_twin.h"
#include "tests/harness/prog_runner/loan.h"
#include "tests/harness/prog_runner/prog_runner.h"

namespace evenkeel::testing {

struct RawVip {
  std::string address = "192.0.2.10";
  uint16_t port = 443;
  uint8_t proto = kTcp;
  uint32_t table = 0;
  uint32_t table_size = 0;
  uint32_t counter = 0;
  uint32_t flags = 0;  // EK_VIP_*; EK_VIP_SOURCE_CHECKS follows from the fields below
  uint16_t global_rules = 0;
  uint16_t rules = 0;
  ek_limit source_limit{};
  ek_limit new_flow_limit{};
};

// A prefix of a set of source rules: "198.51.100.0/24" or "2001:db8::/32".
struct RawRule {
  std::string address;
  uint32_t length = 0;
  uint32_t action = EK_SOURCE_DENY;
};

using Verdicts = std::array<uint64_t, EK_VERDICT_COUNT>;

// All counters at one moment.
struct CounterSet {
  std::vector<ek_counter> vips;
  std::vector<ek_counter> backends;
  Verdicts verdicts{};

  uint64_t TotalForwarded() const;
  uint64_t TotalNotForwarded() const;
};

// Every method aborts with a message where the kernel refuses: a broken harness is not a finding.
class RawBalancer {
 public:
  explicit RawBalancer(const HashKey& key, const RawLimits& limits = {});
  ~RawBalancer();

  // `slots` are EK_SLOT words; element i of `backends` has pool-local id i + 1. `spare_lines`
  // follow the backends.
  void PutTable(uint32_t id, const std::vector<uint32_t>& slots,
                const std::vector<Backend>& backends, uint32_t spare_lines = 0);
  // Replaces one slot word or one backend line in place.
  void SetSlot(uint32_t table, uint32_t slot, uint32_t word);
  void SetLine(uint32_t table, uint32_t line, const ek_line& value);
  ek_line GetLine(uint32_t table, uint32_t line) const;
  void DropTable(uint32_t id);

  // The tries of set `id`, exactly these prefixes. Without `family` (4 or 6): both.
  void PutRules(uint32_t id, const std::vector<RawRule>& rules, int family = 0);

  // Writes VIPs and the markers of their addresses; returns the word that activates them.
  uint32_t PutGeneration(uint32_t generation, const std::vector<RawVip>& vips);
  void Activate(uint32_t word);
  void Stage(uint32_t word);

  // Pins by flow hash, of ek_pins or, `opening`, of ek_opening.
  std::map<uint64_t, ek_pin> ReadPins(bool opening) const;
  void PutPin(uint64_t flow, const ek_pin& pin, bool opening);
  void ClearPins();

  RunResult Run(const Bytes& frame) const;     // ek_balancer
  RunResult Verify(const Bytes& frame) const;  // ek_verify
  int balancer_fd() const;
  // The capture build over the same maps, where that is what Run runs; else null.
  CaptureTwin* capture() const { return capture_; }
  CaptureTwin* StartCapture();

  CounterSet ReadCounters() const;

  // When the next new flow of the VIP with this counter is due, CLOCK_MONOTONIC_COARSE.
  uint64_t FlowDue(uint32_t counter) const;
  void SetFlowDue(uint32_t counter, uint64_t due);
  // Sources that are counted for limits.
  std::vector<ek_source_key> LimitedSources() const;

  // As if all fragmented packets had been seen that much earlier.
  void AgeFragments(uint64_t nanoseconds);

 private:
  void SetControl(uint32_t ek_control::*word, uint32_t value);
  template <typename Key>
  void PutVips(int outer_fd, uint32_t generation, const std::vector<std::pair<Key, ek_vip>>& vips);

  RawLimits limits_;
  BalancerLoan skeleton_;
  CaptureTwin* capture_ = nullptr;  // the loan's
  std::vector<int> table_fds_;
};

// The line of a backend as user space writes it.
ek_line BackendLine(const Backend& backend);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PROG_RUNNER_RAW_TABLES_H_
