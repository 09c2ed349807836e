// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/table.h"

#include <cstdio>

namespace evenkeel::bench {
namespace {

constexpr int kNameWidth = 26;

std::string Trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string TableHeader(const std::vector<std::string>& programs) {
  char text[128];
  std::snprintf(text, sizeof(text), "%-*s %8s %8s", kNameWidth, "", "harness", "floor");
  std::string names = text;
  std::snprintf(text, sizeof(text), "%-*s %8s %8s", kNameWidth, "scenario", "ns", "ns");
  std::string units = text;
  for (const std::string& program : programs) {
    std::snprintf(text, sizeof(text), "   %-26.26s   %-20s", (program + ", ns").c_str(), "ratio");
    names += text;
    std::snprintf(text, sizeof(text), "   %8s %8s %8s   %6s %6s %6s", "min", "median", "max", "min",
                  "median", "max");
    units += text;
  }
  return Trimmed(names) + Trimmed(units);
}

std::string TableRow(const ScenarioFigures& figures) {
  char text[160];
  std::snprintf(text, sizeof(text), "%-*s %8.1f %8.1f", kNameWidth, figures.name.c_str(),
                figures.harness_ns.median, figures.floor_ns.median);
  std::string row = text;
  for (const ProgramFigures& program : figures.programs) {
    const Spread &ns = program.packet_ns, &ratio = program.ratio;
    std::snprintf(text, sizeof(text), "   %8.1f %8.1f %8.1f   %6.2f %6.2f %6.2f", ns.min, ns.median,
                  ns.max, ratio.min, ratio.median, ratio.max);
    row += text;
  }
  return row + "\n";
}

std::string MachineText(const Machine& machine) {
  char load[64];
  std::snprintf(load, sizeof(load), "%.1f", machine.load);
  std::string text = machine.cpu + ", " + std::to_string(machine.cpus) + " CPUs, Linux " +
                     machine.kernel + ", " + machine.bpf_compiler + ", " + machine.compiler +
                     "; load " + load + "\n";
  for (const auto& [name, state] : machine.mitigations) text += name + ": " + state + "\n";
  return text;
}

}  // namespace evenkeel::bench
