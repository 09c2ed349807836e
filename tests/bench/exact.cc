// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/exact.h"

#include <sys/utsname.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/bench/bench.h"
#include "tests/bench/harness.h"

namespace evenkeel::bench {
namespace {

// Other flows execute the same instructions, in other cache lines.
constexpr uint32_t kFlows = 256;
// The fewest of so many: an interrupt adds thousands to one run, and with each new VIP map the keys
// collide in other ways. What is left is the path without either.
constexpr int kRounds = 48;

uint32_t Fewest(Harness& harness, const Harness::Target& target) {
  uint32_t fewest = harness.Count(target, kFlows);
  for (int round = 1; round < kRounds; ++round) {
    if (target.program == harness.balancer().program) harness.Rehash();
    fewest = std::min(fewest, harness.Count(target, kFlows));
  }
  return fewest;
}

bool ClockCountsInstructions(Harness& harness) {
  const uint32_t nothing = Fewest(harness, harness.nothing());
  const uint32_t known = Fewest(harness, harness.known());
  if (known - nothing == BENCH_KNOWN_INSTRUCTIONS) return true;
  std::cerr << "bench: " << BENCH_KNOWN_INSTRUCTIONS << " instructions take "
            << static_cast<int64_t>(known) - static_cast<int64_t>(nothing)
            << " ns here: this clock does not count them; run scripts/bench --exact\n";
  return false;
}

}  // namespace

int RunExact(std::vector<Scenario> scenarios) {
  // A million prefixes take minutes to fill in on an emulated processor.
  std::erase_if(scenarios, [](const Scenario& scenario) { return scenario.denied > 0; });
  for (Scenario& scenario : scenarios) scenario.flows = std::min(scenario.flows, kFlows);
  Harness harness(scenarios);
  utsname name{};
  uname(&name);
  nlohmann::ordered_json json = {{"schema", "evenkeel.exact/v1"},
                                 {"kernel", name.release},
                                 {"instructions", nlohmann::ordered_json::object()}};
  nlohmann::ordered_json& instructions = json["instructions"];
  for (const Scenario& scenario : scenarios) {
    harness.Load(scenario);
    if (instructions.empty()) {
      if (!ClockCountsInstructions(harness)) return 1;
      instructions["floor"] = Fewest(harness, harness.floor()) - Fewest(harness, harness.nothing());
    }
    if (const std::string fault = harness.Check(scenario, /*flows=*/16); !fault.empty()) {
      std::cerr << "bench: " << scenario.name << ": " << fault << "; nothing is counted\n";
      return 1;
    }
    instructions[scenario.name] =
        Fewest(harness, harness.balancer()) - Fewest(harness, harness.nothing());
  }
  std::cout << json.dump(2) << "\n";
  return 0;
}

}  // namespace evenkeel::bench
