// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_BENCH_SAMPLE_H_
#define EVENKEEL_TESTS_UNIT_BENCH_SAMPLE_H_

#include "tests/bench/results.h"

namespace evenkeel::bench {

inline ProgramFigures Program(const std::string& name, double ratio) {
  return {name, "XDP_TX", {ratio * 40, ratio * 50, ratio * 60}, {ratio - 0.1, ratio, ratio + 0.3}};
}

// Two scenarios; the second one has another program too.
inline Results Sample() {
  Results results;
  results.machine = {
      "Some CPU",   2,  "6.1.0", {{"spectre_v2", "Mitigation: Retpolines"}}, "clang version 14.0.6",
      "GNU 12.2.0", 0.5};
  results.rounds = 15;
  results.passes = 1000;
  results.scenarios = {
      {"tcp4-data-1", {30, 31, 35}, {50, 51, 58}, {Program("evenkeel", 2)}},
      {"no-vip4", {30, 32, 35}, {50, 52, 58}, {Program("evenkeel", 1.5), Program("other", 3)}}};
  return results;
}

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_UNIT_BENCH_SAMPLE_H_
