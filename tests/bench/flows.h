// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_BENCH_FLOWS_H_
#define EVENKEEL_TESTS_BENCH_FLOWS_H_

#include "tests/bench/bench.h"
#include "tests/bench/scenario.h"

struct ek_bench;  // libbpf's skeleton

namespace evenkeel::bench {

// Sizes the wrappers' maps for the largest of the scenarios; before the skeleton is loaded.
void SizeFlowMaps(const std::vector<Scenario>& scenarios, ek_bench& skeleton);

// Whether the packets of the scenario's flows differ in more than source address and port.
bool NeedsImages(const Scenario& scenario);

// Writes the template and the flows that the wrappers make the scenario's packets of; `frame` is
// the one of flow 0. False: errno says why the maps cannot be written.
bool FillFlows(const Scenario& scenario, const testing::Bytes& frame, ek_bench& skeleton);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_FLOWS_H_
