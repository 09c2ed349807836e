// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <stdexcept>

#include "netns_lab.h"

namespace evenkeel::testing {
namespace {

Argv LoadArgv(const NetnsLab& lab, const Load::Options& options) {
  Argv argv = {EK_BINARY_DIR "/tests/ek-load",
               options.address,
               "--port",
               std::to_string(options.port),
               "--rate",
               std::to_string(options.rate),
               "--workers",
               std::to_string(options.workers),
               "--connections",
               std::to_string(options.connections),
               "--duration",
               std::to_string(options.seconds)};
  if (options.repeat_lost) argv.push_back("--repeat-lost");
  return lab.In("client", argv);
}

Load::Summary ParseSummary(const CommandResult& result) {
  const size_t last = result.out.rfind("{\"at\"");
  if (last == std::string::npos) throw std::runtime_error("ek-load: " + result.err);
  const auto json = nlohmann::json::parse(result.out.substr(last));
  if (json.at("kind") != "summary") throw std::runtime_error("ek-load was cut short");
  return {.requests = json.at("requests"),
          .failed = json.at("failed"),
          .repeated = json.at("repeated"),
          .slowest_ms = json.at("slowest_ms"),
          .backends = json.at("backends"),
          .errors = json.at("errors").dump()};
}

}  // namespace

double Load::Summary::Share(const std::string& backend) const {
  const auto found = backends.find(backend);
  if (found == backends.end() || requests == failed) return 0;
  return static_cast<double>(found->second) / static_cast<double>(requests - failed);
}

Load::Load(const NetnsLab& lab, const Options& options) : process_(LoadArgv(lab, options)) {}

Load::Summary Load::Stop() {
  process_.Signal(SIGTERM);
  return Wait();
}

Load::Summary Load::Wait() { return ParseSummary(process_.Wait()); }

}  // namespace evenkeel::testing
