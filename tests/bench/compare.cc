// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/compare.h"

#include <algorithm>
#include <cstdio>

namespace evenkeel::bench {
namespace {

const ProgramFigures* Find(const Results& results, const std::string& scenario,
                           const std::string& program) {
  for (const ScenarioFigures& figures : results.scenarios) {
    if (figures.name != scenario) continue;
    for (const ProgramFigures& one : figures.programs) {
      if (one.name == program) return &one;
    }
  }
  return nullptr;
}

bool IsSlower(const Change& change, double limit_percent) {
  return change.quotient() > 1 + limit_percent / 100;
}

std::string Cell(int decimals, std::optional<double> value) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", decimals, *value);
  return text;
}

std::string Remark(const Change& change, double limit_percent) {
  if (!change.before) return "new";
  if (!change.after) return "not measured";
  if (IsSlower(change, limit_percent)) return "SLOWER";
  return change.quotient() < 1 / (1 + limit_percent / 100) ? "faster" : "";
}

std::string Row(const std::string& scenario, const std::string& program, const std::string& before,
                const std::string& after, const std::string& quotient, const std::string& remark) {
  char text[256];
  std::snprintf(text, sizeof(text), "%-26s %-12s %8s %8s %9s  %s", scenario.c_str(),
                program.c_str(), before.c_str(), after.c_str(), quotient.c_str(), remark.c_str());
  std::string line = text;
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::vector<Change> Compare(const Results& before, const Results& after) {
  std::vector<Change> changes;
  for (const ScenarioFigures& figures : after.scenarios) {
    for (const ProgramFigures& program : figures.programs) {
      Change change{figures.name, program.name, std::nullopt, program.ratio.median};
      if (const auto* old = Find(before, figures.name, program.name)) {
        change.before = old->ratio.median;
      }
      changes.push_back(std::move(change));
    }
  }
  for (const ScenarioFigures& figures : before.scenarios) {
    for (const ProgramFigures& program : figures.programs) {
      if (Find(after, figures.name, program.name) != nullptr) continue;
      changes.push_back({figures.name, program.name, program.ratio.median, std::nullopt});
    }
  }
  return changes;
}

bool AnySlower(const std::vector<Change>& changes, double limit_percent) {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const Change& change) { return IsSlower(change, limit_percent); });
}

std::string CompareText(const Results& before, const Results& after, double limit_percent) {
  std::string text = Row("ratio to the floor", "program", "before", "now", "now/then", "");
  for (const Change& change : Compare(before, after)) {
    const bool both = change.before && change.after;
    text += Row(change.scenario, change.program, Cell(2, change.before), Cell(2, change.after),
                both ? Cell(3, change.quotient()) : "-", Remark(change, limit_percent));
  }
  if (before.machine.cpu != after.machine.cpu || before.machine.kernel != after.machine.kernel) {
    text += "before: " + before.machine.cpu + ", Linux " + before.machine.kernel +
            "; now: " + after.machine.cpu + ", Linux " + after.machine.kernel + "\n";
  }
  return text;
}

}  // namespace evenkeel::bench
