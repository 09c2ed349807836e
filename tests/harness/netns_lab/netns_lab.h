// SPDX-License-Identifier: Apache-2.0
//
// A lab of scripts/lab for the time of a test: client, balancer with the real daemon, backends.
// scripts/lib/lab/topology.sh is the one description of its network.
#ifndef EVENKEEL_TESTS_HARNESS_NETNS_LAB_NETNS_LAB_H_
#define EVENKEEL_TESTS_HARNESS_NETNS_LAB_NETNS_LAB_H_

#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "process.h"

namespace evenkeel::testing {

// Names why the kernel tests cannot run, or is empty. With EVENKEEL_REQUIRE_KERNEL set it is always
// empty: what is missing then fails the test.
std::string ReasonToSkip();

struct LabOptions {
  int backends = 4;
  std::string mode = "native";  // of XDP
  std::string layout = "flat";  // or "routed", "ecmp"
  std::string config;           // YAML; empty: scripts/lib/lab/web.yaml
  bool decap = true;
};

class NetnsLab {
 public:
  // Removes first what killed tests left behind. Throws std::runtime_error with the script's
  // messages: a test without its lab has failed.
  explicit NetnsLab(const LabOptions& options = {});
  NetnsLab(const NetnsLab&) = delete;
  NetnsLab& operator=(const NetnsLab&) = delete;
  ~NetnsLab();

  const nlohmann::json& facts() const { return facts_; }  // lab.json
  std::string fact(const std::string& name) const { return facts_.at(name); }
  std::string file(const std::string& name) const { return fact("dir") + "/" + name; }

  // The command line that runs `argv` in the namespace of a role.
  Argv In(const std::string& role, const Argv& argv) const;
  CommandResult RunIn(const std::string& role, const Argv& argv) const;

  // evenkeel-decap on a backend's host, with the pins that the lab started it with.
  CommandResult Decap(const std::string& role, const Argv& flags) const;

  // The `evenkeel` command against this lab's daemon.
  CommandResult Cli(Argv argv) const;
  // Against that of the second balancer (layout ecmp).
  CommandResult Cli2(Argv argv) const;
  // `evenkeel apply` of a whole configuration.
  CommandResult Apply(const std::string& yaml) const;
  nlohmann::json Status() const;  // of `evenkeel status -o json`

  pid_t daemon_pid() const;
  void SignalDaemon(int signal) const;
  bool WaitDaemonGone(std::chrono::milliseconds timeout) const;
  // After it ended; waits until it answers. The result holds the daemon's messages if it does not.
  CommandResult StartDaemon(const Argv& extra_flags = {}) const;
  std::string DaemonLog() const;

 private:
  std::string id_;
  nlohmann::json facts_;
};

// ek-load in the client's namespace.
class Load {
 public:
  struct Options {
    std::string address = "192.0.2.10";
    int port = 80;
    double rate = 400;
    double seconds = 0;  // 0: until Stop
    int workers = 8;
    int connections = 0;  // that stay open; 0: one for each request
    bool repeat_lost = false;
  };
  struct Summary {
    uint64_t requests = 0, failed = 0, repeated = 0;
    double slowest_ms = 0;
    std::map<std::string, uint64_t> backends;
    std::string errors;  // JSON: text and count

    double Share(const std::string& backend) const;  // of the successful requests, 0..1
  };

  Load(const NetnsLab& lab, const Options& options);
  Summary Stop();  // requests under way are finished
  Summary Wait();  // where `seconds` was given

 private:
  Process process_;
};

void WriteFile(const std::string& path, const std::string& text);
std::string ReadFile(const std::string& path);

// Until `condition` holds; false if it never did.
bool Eventually(std::chrono::milliseconds timeout, const std::function<bool()>& condition);

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_NETNS_LAB_NETNS_LAB_H_
