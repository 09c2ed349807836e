// SPDX-License-Identifier: Apache-2.0
//
// Loaded balancers to borrow. The verifier takes seconds for one, so those who need one after the
// other get the same: what comes back is emptied and lent again.
#ifndef EVENKEEL_TESTS_HARNESS_PROG_RUNNER_LOAN_H_
#define EVENKEEL_TESTS_HARNESS_PROG_RUNNER_LOAN_H_

#include <memory>

#include "bpf/abi/limits.h"
#include "tests/harness/packet/oracle.h"
#include "tests/harness/prog_runner/capture_twin.h"

struct ek_balancer;  // libbpf's skeleton

namespace evenkeel::testing {

struct RawLimits {
  uint32_t tables = 8;
  uint32_t vips = 64;
  uint32_t backends = 256;
  uint32_t rule_sets = 16;
  uint32_t too_big_rate = EK_DEFAULT_TOO_BIG_RATE;
  uint32_t too_big_burst = EK_DEFAULT_TOO_BIG_BURST;

  bool operator==(const RawLimits&) const = default;
};

struct GiveBack {
  void operator()(ek_balancer* skeleton) const;
};
using BalancerLoan = std::unique_ptr<ek_balancer, GiveBack>;

// Every map is as after loading: arrays are 0, all others have no entry. Whoever borrows while the
// balancer is lent gets one of their own.
BalancerLoan BorrowBalancer(const HashKey& key, const RawLimits& limits);

// The capture build over the maps of a borrowed balancer, reset; loaded when it is first asked for,
// and as long there as the balancer.
CaptureTwin* TwinOf(const ek_balancer& borrowed);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_PROG_RUNNER_LOAN_H_
