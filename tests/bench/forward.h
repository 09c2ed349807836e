// SPDX-License-Identifier: Apache-2.0
//
// Live frames over a veth pair: near end -> program in native mode on the far end -> near end.
#ifndef EVENKEEL_TESTS_BENCH_FORWARD_H_
#define EVENKEEL_TESTS_BENCH_FORWARD_H_

#include <cstdint>

namespace evenkeel::bench {

// In each of `rounds`, `packets` frames through a program that drops them, one that sends them back
// as they are, the bare encapsulation and the balancer, after the balancer's frames were compared
// with the oracle. Sender, program and receiver share the calling thread's CPU. Prints packets per
// second of that CPU. Returns the exit code.
int RunForward(uint32_t rounds, uint32_t packets, bool json);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_FORWARD_H_
