// SPDX-License-Identifier: Apache-2.0
//
// Cost of a packet, as a ratio to the floor (an XDP program that encapsulates into constant
// headers) of the same round on the same buffer.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "tests/bench/compare.h"
#include "tests/bench/exact.h"
#include "tests/bench/forward.h"
#include "tests/bench/machine.h"
#include "tests/bench/measure.h"
#include "tests/bench/plot.h"
#include "tests/bench/table.h"
#include "tests/harness/live_frames/live_frames.h"

namespace evenkeel::bench {
namespace {

constexpr int kSlower = 3;  // the exit code

struct Flags {
  std::vector<std::string> scenarios;
  std::vector<std::string> programs;  // NAME=PATH
  uint32_t rounds = 21;
  uint32_t passes = 1000000;
  int cpu = -1;
  bool json = false;
  bool exact = false;
  bool forward = false;
  bool list = false;
  std::string from, compare, plot;
  double limit = 10;
};

std::vector<Scenario> Chosen(const Flags& flags) {
  std::vector<Scenario> chosen;
  for (const Scenario& scenario : Scenarios()) {
    const bool wanted = std::any_of(
        flags.scenarios.begin(), flags.scenarios.end(),
        [&](const std::string& name) { return scenario.name.find(name) != std::string::npos; });
    if (flags.scenarios.empty() || wanted) chosen.push_back(scenario);
  }
  if (chosen.empty()) throw std::runtime_error("no scenario has that name; --list names them");
  return chosen;
}

Results ReadResults(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error(path + ": " + std::strerror(errno));
  try {
    return ResultsFromJson(text.str());
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
}

void WritePlot(const Results& results, const std::string& path) {
  std::ofstream file(path);
  file << RatioPlot(results);
  file.flush();
  if (!file) throw std::runtime_error(path + ": " + std::strerror(errno));
}

std::vector<Harness::Target> OpenPrograms(Harness& harness, const Flags& flags) {
  std::vector<Harness::Target> targets(flags.programs.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    const std::string fault = harness.OpenPinned(flags.programs[i], &targets[i]);
    if (!fault.empty()) throw std::runtime_error(fault);
  }
  return targets;
}

// Prints each row as it is known: a run takes minutes.
Results Measure(const Flags& flags) {
  const std::vector<Scenario> scenarios = Chosen(flags);
  Harness harness(scenarios);
  const std::vector<Harness::Target> others = OpenPrograms(harness, flags);
  std::vector<std::string> names = {harness.balancer().name};
  for (const Harness::Target& other : others) names.push_back(other.name);
  Results results{DescribeMachine(), flags.rounds, flags.passes, {}};
  std::FILE* const out = flags.json ? stderr : stdout;
  std::fputs(TableHeader(names).c_str(), out);
  for (const Scenario& scenario : scenarios) {
    ScenarioFigures figures;
    const std::string fault =
        MeasureScenario(harness, scenario, others, flags.rounds, flags.passes, &figures);
    if (!fault.empty()) {
      throw std::runtime_error(scenario.name + ": " + fault + "; nothing more is measured");
    }
    std::fputs(TableRow(figures).c_str(), out);
    std::fflush(out);
    results.scenarios.push_back(std::move(figures));
  }
  std::fputs(MachineText(results.machine).c_str(), out);
  return results;
}

int RunScenarios(const Flags& flags) {
  // Read first: a file that is not there should not cost a run.
  std::optional<Results> before;
  if (!flags.compare.empty()) before = ReadResults(flags.compare);
  const Results results = flags.from.empty() ? Measure(flags) : ReadResults(flags.from);
  if (flags.json) std::cout << ToJson(results).dump(2) << "\n";
  if (!flags.plot.empty()) WritePlot(results, flags.plot);
  if (!before) return 0;
  (flags.json ? std::cerr : std::cout) << CompareText(*before, results, flags.limit);
  return AnySlower(Compare(*before, results), flags.limit) ? kSlower : 0;
}

int Run(const Flags& flags) {
  if (flags.list) {
    for (const Scenario& scenario : Scenarios()) std::puts(scenario.name.c_str());
    return 0;
  }
  if (const int error = testing::PinThread(flags.cpu); error != 0) {
    std::cerr << "bench: pinning to a CPU: " << std::strerror(error) << "\n";
  }
  if (flags.exact) return RunExact(Chosen(flags));
  if (flags.forward) return RunForward(flags.rounds, flags.passes, flags.json);
  return RunScenarios(flags);
}

void AddOptions(CLI::App& app, Flags& flags) {
  app.add_option("--scenario", flags.scenarios, "Only scenarios whose name contains this");
  app.add_option("--rounds", flags.rounds, "Measurements of each program")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--passes", flags.passes, "Packets per measurement")
      ->check(CLI::Range(1000, 100000000))
      ->capture_default_str();
  app.add_option("--cpu", flags.cpu, "CPU to measure on; default: the last one");
  app.add_option("-p", flags.programs,
                 "NAME=PATH: another pinned XDP program on the same packets, in further columns");
  app.add_flag("--json", flags.json, "Results to standard output; the table goes to stderr");
  app.add_option("--from", flags.from, "Results of an earlier --json in place of a measurement");
  app.add_option("--compare", flags.compare,
                 "Results of an earlier --json: a table of both; exit code 3 if some ratio grew");
  app.add_option("--limit", flags.limit, "By how much, in percent")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app.add_option("--plot", flags.plot, "Draws the ratios into this SVG file");
  app.add_flag("--forward", flags.forward,
               "Packets per second over a veth pair, with native XDP, in place of the scenarios");
  app.add_flag("--exact", flags.exact,
               "Instructions instead of time, as JSON; in the machine of scripts/bench --exact");
  app.add_flag("--list", flags.list, "Names of the scenarios");
}

}  // namespace
}  // namespace evenkeel::bench

int main(int argc, char** argv) {
  evenkeel::bench::Flags flags;
  CLI::App app("Cost of a packet in the balancer, as a ratio to a bare encapsulation.");
  evenkeel::bench::AddOptions(app, flags);
  CLI11_PARSE(app, argc, argv);
  try {
    return evenkeel::bench::Run(flags);
  } catch (const std::exception& error) {
    std::cerr << "bench: " << error.what() << "\n";
    return 1;
  }
}
