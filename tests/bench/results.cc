// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/results.h"

#include <algorithm>
#include <stdexcept>

namespace evenkeel::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "evenkeel.bench/v2";

Json SpreadJson(const Spread& spread) {
  return {{"min", spread.min}, {"median", spread.median}, {"max", spread.max}};
}

Spread SpreadFrom(const Json& json) {
  return {json.at("min").get<double>(), json.at("median").get<double>(),
          json.at("max").get<double>()};
}

Json MachineJson(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"cpus", machine.cpus},
          {"kernel", machine.kernel},
          {"mitigations", machine.mitigations},
          {"bpf_compiler", machine.bpf_compiler},
          {"compiler", machine.compiler},
          {"load", machine.load}};
}

Machine MachineFrom(const Json& json) {
  return {json.at("cpu"),          json.at("cpus"),
          json.at("kernel"),       json.at("mitigations").get<std::map<std::string, std::string>>(),
          json.at("bpf_compiler"), json.at("compiler"),
          json.at("load")};
}

Json ProgramJson(const ProgramFigures& program) {
  return {{"name", program.name},
          {"verdict", program.verdict},
          {"packet_ns", SpreadJson(program.packet_ns)},
          {"ratio", SpreadJson(program.ratio)}};
}

ScenarioFigures ScenarioFrom(const Json& json) {
  ScenarioFigures figures;
  figures.name = json.at("scenario");
  figures.harness_ns = SpreadFrom(json.at("harness_ns"));
  figures.floor_ns = SpreadFrom(json.at("floor_ns"));
  for (const Json& program : json.at("programs")) {
    figures.programs.push_back({program.at("name"), program.at("verdict"),
                                SpreadFrom(program.at("packet_ns")),
                                SpreadFrom(program.at("ratio"))});
  }
  if (figures.programs.empty()) throw std::invalid_argument(figures.name + " has no program");
  return figures;
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

Json ToJson(const Results& results) {
  Json json = {{"schema", kSchema},
               {"machine", MachineJson(results.machine)},
               {"rounds", results.rounds},
               {"passes", results.passes},
               {"results", Json::array()}};
  for (const ScenarioFigures& figures : results.scenarios) {
    Json programs = Json::array();
    for (const ProgramFigures& program : figures.programs) programs.push_back(ProgramJson(program));
    json["results"].push_back({{"scenario", figures.name},
                               {"harness_ns", SpreadJson(figures.harness_ns)},
                               {"floor_ns", SpreadJson(figures.floor_ns)},
                               {"programs", std::move(programs)}});
  }
  return json;
}

Results ResultsFromJson(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema") != kSchema) {
      throw std::invalid_argument("its schema is not " + std::string(kSchema));
    }
    Results results;
    results.machine = MachineFrom(json.at("machine"));
    results.rounds = json.at("rounds");
    results.passes = json.at("passes");
    for (const Json& scenario : json.at("results")) {
      results.scenarios.push_back(ScenarioFrom(scenario));
    }
    return results;
  } catch (const Json::exception& error) {
    throw std::invalid_argument(std::string("not results of this bench: ") + error.what());
  }
}

}  // namespace evenkeel::bench
