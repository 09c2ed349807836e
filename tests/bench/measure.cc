// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/measure.h"

namespace evenkeel::bench {

std::string MeasureScenario(Harness& harness, const Scenario& scenario,
                            const std::vector<Harness::Target>& others, uint32_t rounds,
                            uint32_t passes, ScenarioFigures* figures) {
  harness.Load(scenario);
  if (std::string fault = harness.Check(scenario); !fault.empty()) return fault;
  std::vector<Harness::Target> programs = {harness.balancer()};
  programs.insert(programs.end(), others.begin(), others.end());
  // The first passes warm caches and branch predictors.
  for (const Harness::Target& program : programs) harness.Measure(program, passes);
  std::vector<double> nothing, floor;
  std::vector<std::vector<double>> packet(programs.size()), ratio(programs.size());
  for (uint32_t round = 0; round < rounds; ++round) {
    nothing.push_back(harness.Measure(harness.nothing(), passes));
    floor.push_back(harness.Measure(harness.floor(), passes));
    for (size_t i = 0; i < programs.size(); ++i) {
      packet[i].push_back(harness.Measure(programs[i], passes));
      ratio[i].push_back(packet[i].back() / floor.back());
    }
  }
  *figures = {scenario.name, SpreadOf(nothing), SpreadOf(floor), {}};
  for (size_t i = 0; i < programs.size(); ++i) {
    figures->programs.push_back({programs[i].name, harness.VerdictOf(programs[i]),
                                 SpreadOf(packet[i]), SpreadOf(ratio[i])});
  }
  return "";
}

}  // namespace evenkeel::bench
