// SPDX-License-Identifier: Apache-2.0
//
// What a run of the bench found: figures, JSON of them, and back. Pure.
#ifndef EVENKEEL_TESTS_BENCH_RESULTS_H_
#define EVENKEEL_TESTS_BENCH_RESULTS_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace evenkeel::bench {

struct Spread {
  double min = 0, median = 0, max = 0;

  friend bool operator==(const Spread&, const Spread&) = default;
};

// Of at least one value; of an even number the median is the upper of the middle two.
Spread SpreadOf(std::vector<double> values);

// The machine and what the programs were made with: figures mean something beside these only.
struct Machine {
  std::string cpu;
  uint32_t cpus = 0;
  std::string kernel;
  std::map<std::string, std::string> mitigations;  // by name of the vulnerability
  std::string bpf_compiler, compiler;
  double load = 0;  // processes that wanted to run, over the last minute

  friend bool operator==(const Machine&, const Machine&) = default;
};

struct ProgramFigures {
  std::string name;         // "evenkeel", then those of -p
  std::string verdict;      // what it returned for the first packet
  Spread packet_ns, ratio;  // ratio to the floor of the same round

  friend bool operator==(const ProgramFigures&, const ProgramFigures&) = default;
};

struct ScenarioFigures {
  std::string name;
  Spread harness_ns, floor_ns;
  std::vector<ProgramFigures> programs;

  friend bool operator==(const ScenarioFigures&, const ScenarioFigures&) = default;
};

struct Results {
  Machine machine;
  uint32_t rounds = 0, passes = 0;
  std::vector<ScenarioFigures> scenarios;

  friend bool operator==(const Results&, const Results&) = default;
};

nlohmann::ordered_json ToJson(const Results& results);
// Throws std::invalid_argument that says what is wrong.
Results ResultsFromJson(const std::string& text);

}  // namespace evenkeel::bench

#endif  // EVENKEEL_TESTS_BENCH_RESULTS_H_
