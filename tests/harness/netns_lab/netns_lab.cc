// SPDX-License-Identifier: Apache-2.0
#include "netns_lab.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace evenkeel::testing {
namespace {

const std::string kScript = EK_SOURCE_DIR "/scripts/lab";
const std::string kBuild = EK_BINARY_DIR;

CommandResult RunLab(Argv arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/env", "EVENKEEL_BUILD_DIR=" + kBuild, kScript});
  return RunCommand(arguments);
}

std::string NewId() {
  static std::atomic<int> count = 0;
  return "t" + std::to_string(getpid()) + "x" + std::to_string(++count);
}

}  // namespace

std::string ReasonToSkip() {
  if (std::getenv("EVENKEEL_REQUIRE_KERNEL") != nullptr || geteuid() == 0) return "";
  return "namespaces and XDP need root";
}

NetnsLab::NetnsLab(const LabOptions& options) : id_(NewId()) {
  RunLab({"down", "--abandoned"});
  Argv up = {"up",
             "--id",
             id_,
             "--owner",
             std::to_string(getpid()),
             "--backends",
             std::to_string(options.backends),
             "--mode",
             options.mode,
             "--layout",
             options.layout};
  const std::string config = "/tmp/evenkeel-" + id_ + ".yaml";
  if (!options.config.empty()) {
    WriteFile(config, options.config);
    up.insert(up.end(), {"--config", config});
  }
  if (!options.decap) up.push_back("--no-decap");
  const CommandResult result = RunLab(up);
  unlink(config.c_str());  // the lab has its copy
  if (!result.ok()) throw std::runtime_error("scripts/lab up: " + result.err);
  facts_ = nlohmann::json::parse(ReadFile("/run/evenkeel-lab/" + id_ + "/lab.json"));
}

NetnsLab::~NetnsLab() {
  const CommandResult result = RunLab({"down", id_});
  if (!result.ok()) std::fprintf(stderr, "scripts/lab down: %s\n", result.err.c_str());
}

Argv NetnsLab::In(const std::string& role, const Argv& argv) const {
  const std::string ns = facts_.at("namespaces").at(role);
  Argv full = {"nsenter", "--net=/run/netns/" + ns, "--"};
  full.insert(full.end(), argv.begin(), argv.end());
  return full;
}

CommandResult NetnsLab::RunIn(const std::string& role, const Argv& argv) const {
  return RunCommand(In(role, argv));
}

CommandResult NetnsLab::Decap(const std::string& role, const Argv& flags) const {
  Argv argv = {kBuild + "/bin/evenkeel-decap", "--interface", "eth0", "--pin-dir",
               fact("pin_dir") + "-hosts/" + role};
  argv.insert(argv.end(), flags.begin(), flags.end());
  return RunIn(role, argv);
}

CommandResult NetnsLab::Cli(Argv argv) const {
  argv.insert(argv.begin(), kBuild + "/bin/evenkeel");
  argv.insert(argv.end(), {"--socket", fact("socket")});
  return RunCommand(argv);
}

CommandResult NetnsLab::Cli2(Argv argv) const {
  argv.insert(argv.begin(), kBuild + "/bin/evenkeel");
  argv.insert(argv.end(), {"--socket", fact("socket2")});
  return RunCommand(argv);
}

CommandResult NetnsLab::Apply(const std::string& yaml) const {
  const std::string path = file("apply.yaml");
  WriteFile(path, yaml);
  return Cli({"apply", "-f", path, "--yes", "--reason", "test", "-o", "json"});
}

nlohmann::json NetnsLab::Status() const {
  const CommandResult result = Cli({"status", "-o", "json"});
  if (!result.ok()) throw std::runtime_error("evenkeel status: " + result.err);
  return nlohmann::json::parse(result.out);
}

pid_t NetnsLab::daemon_pid() const { return std::stoi(ReadFile(file("evenkeeld.pid"))); }

void NetnsLab::SignalDaemon(int signal) const { kill(daemon_pid(), signal); }

bool NetnsLab::WaitDaemonGone(std::chrono::milliseconds timeout) const {
  const std::string stat = "/proc/" + std::to_string(daemon_pid()) + "/stat";
  return Eventually(timeout, [&] {
    const std::string text = ReadFile(stat);
    return text.empty() || text.find(") Z ") != std::string::npos;
  });
}

CommandResult NetnsLab::StartDaemon(const Argv& extra_flags) const {
  Argv argv = {"daemon", id_};
  argv.insert(argv.end(), extra_flags.begin(), extra_flags.end());
  return RunLab(argv);
}

std::string NetnsLab::DaemonLog() const { return ReadFile(file("evenkeeld.log")); }

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream stream(path, std::ios::trunc | std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error("cannot write " + path);
}

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

bool Eventually(std::chrono::milliseconds timeout, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace evenkeel::testing
