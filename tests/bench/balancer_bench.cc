// SPDX-License-Identifier: Apache-2.0
//
// Cost of a packet, as a ratio to the floor (an XDP program that encapsulates into constant
// headers) of the same round on the same buffer.
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/bench/exact.h"
#include "tests/bench/harness.h"

namespace evenkeel::bench {
namespace {

struct Flags {
  std::vector<std::string> scenarios;
  uint32_t rounds = 21;
  uint32_t passes = 1000000;
  int cpu = -1;
  bool json = false;
  bool exact = false;
};

struct Spread {
  double min = 0, median = 0, max = 0;
};

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

struct Figures {
  std::string name;
  Spread nothing_ns, floor_ns, balancer_ns, ratio;
};

Figures MeasureScenario(Harness& harness, const Scenario& scenario, const Flags& flags) {
  std::vector<double> nothing, floor, balancer, ratio;
  harness.Measure(Target::kBalancer, flags.passes);  // warms caches and branch predictors
  for (uint32_t round = 0; round < flags.rounds; ++round) {
    nothing.push_back(harness.Measure(Target::kNothing, flags.passes));
    floor.push_back(harness.Measure(Target::kFloor, flags.passes));
    balancer.push_back(harness.Measure(Target::kBalancer, flags.passes));
    ratio.push_back(balancer.back() / floor.back());
  }
  return {scenario.name, SpreadOf(nothing), SpreadOf(floor), SpreadOf(balancer), SpreadOf(ratio)};
}

void PrintHeader() {
  std::printf("%-22s %8s %8s   %8s %8s %8s   %6s %6s %6s\n", "", "harness", "floor", "packet", "",
              "", "ratio", "", "");
  std::printf("%-22s %8s %8s   %8s %8s %8s   %6s %6s %6s\n", "scenario", "ns", "ns", "ns min",
              "median", "max", "min", "median", "max");
}

void PrintRow(const Figures& f) {
  std::printf("%-22s %8.1f %8.1f   %8.1f %8.1f %8.1f   %6.2f %6.2f %6.2f\n", f.name.c_str(),
              f.nothing_ns.median, f.floor_ns.median, f.balancer_ns.min, f.balancer_ns.median,
              f.balancer_ns.max, f.ratio.min, f.ratio.median, f.ratio.max);
  std::fflush(stdout);
}

nlohmann::ordered_json ToJson(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

nlohmann::ordered_json ToJson(const Figures& f) {
  return {{"scenario", f.name},
          {"harness_ns", ToJson(f.nothing_ns)},
          {"floor_ns", ToJson(f.floor_ns)},
          {"packet_ns", ToJson(f.balancer_ns)},
          {"ratio", ToJson(f.ratio)}};
}

// The measured thread stays on one CPU: the last one, which the kernel's own work uses least.
void Pin(int cpu) {
  cpu_set_t set;
  sched_getaffinity(0, sizeof(set), &set);
  for (int i = CPU_SETSIZE - 1; cpu < 0 && i >= 0; --i) {
    if (CPU_ISSET(i, &set)) cpu = i;
  }
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) std::perror("bench: pinning to a CPU");
}

std::vector<Scenario> Chosen(const Flags& flags) {
  std::vector<Scenario> chosen;
  for (const Scenario& scenario : Scenarios()) {
    const bool wanted = std::any_of(
        flags.scenarios.begin(), flags.scenarios.end(),
        [&](const std::string& name) { return scenario.name.find(name) != std::string::npos; });
    if (flags.scenarios.empty() || wanted) chosen.push_back(scenario);
  }
  return chosen;
}

int Run(const Flags& flags) {
  const std::vector<Scenario> scenarios = Chosen(flags);
  if (scenarios.empty()) {
    std::cerr << "bench: no scenario has that name; --list names them\n";
    return 1;
  }
  Pin(flags.cpu);
  if (flags.exact) return RunExact(scenarios);
  Harness harness;
  nlohmann::ordered_json json = {{"schema", "evenkeel.bench/v1"},
                                 {"rounds", flags.rounds},
                                 {"passes", flags.passes},
                                 {"results", nlohmann::json::array()}};
  if (!flags.json) PrintHeader();
  for (const Scenario& scenario : scenarios) {
    harness.Load(scenario);
    if (const std::string fault = harness.Check(scenario); !fault.empty()) {
      std::cerr << "bench: " << scenario.name << ": " << fault << "; nothing is measured\n";
      return 1;
    }
    const Figures figures = MeasureScenario(harness, scenario, flags);
    if (flags.json) {
      json["results"].push_back(ToJson(figures));
    } else {
      PrintRow(figures);
    }
  }
  if (flags.json) std::cout << json.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace evenkeel::bench

int main(int argc, char** argv) {
  evenkeel::bench::Flags flags;
  bool list = false;
  CLI::App app("Cost of a packet in the balancer, as a ratio to a bare encapsulation.");
  app.add_option("--scenario", flags.scenarios, "Only scenarios whose name contains this");
  app.add_option("--rounds", flags.rounds, "Measurements of each program")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--passes", flags.passes, "Packets per measurement")
      ->check(CLI::Range(1000, 100000000))
      ->capture_default_str();
  app.add_option("--cpu", flags.cpu, "CPU to measure on; default: the last one");
  app.add_flag("--json", flags.json, "Machine-readable output");
  app.add_flag("--exact", flags.exact,
               "Instructions instead of time, as JSON; in the machine of scripts/bench --exact");
  app.add_flag("--list", list, "Names of the scenarios");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const auto& scenario : evenkeel::bench::Scenarios()) std::puts(scenario.name.c_str());
    return 0;
  }
  return evenkeel::bench::Run(flags);
}
