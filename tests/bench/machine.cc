// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace evenkeel::bench {
namespace {

constexpr const char* kVulnerabilities = "/sys/devices/system/cpu/vulnerabilities";

std::string CpuModel() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::map<std::string, std::string> Mitigations() {
  std::map<std::string, std::string> mitigations;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kVulnerabilities, error)) {
    std::ifstream file(entry.path());
    std::string state;
    if (!std::getline(file, state) || state == "Not affected") continue;
    mitigations[entry.path().filename().string()] = state;
  }
  return mitigations;
}

}  // namespace

Machine DescribeMachine() {
  Machine machine;
  machine.cpu = CpuModel();
  machine.cpus = static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  utsname name{};
  uname(&name);
  machine.kernel = name.release;
  machine.mitigations = Mitigations();
  machine.bpf_compiler = EK_BPF_COMPILER;
  machine.compiler = EK_COMPILER;
  double load = 0;
  if (getloadavg(&load, 1) == 1) machine.load = load;
  return machine;
}

}  // namespace evenkeel::bench
