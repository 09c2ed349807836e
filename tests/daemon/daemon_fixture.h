// SPDX-License-Identifier: Apache-2.0
//
// A daemon with its own namespace, pins, state and socket; the interface ek0 is one end of a veth.
#ifndef EVENKEEL_TESTS_DAEMON_DAEMON_FIXTURE_H_
#define EVENKEEL_TESTS_DAEMON_DAEMON_FIXTURE_H_

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"
#include "control/rpc/client.h"
#include "process.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_netns.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"

namespace evenkeel::testing {

// One VIP and `backends` servers on the link of ek0; only the first `enabled` of them are enabled.
inline std::string MakeYaml(int backends, int enabled = 1000) {
  std::string yaml =
      "vips:\n  - {name: web, address: 192.0.2.10, port: 80, protocol: tcp, pool: web}\n"
      "pools:\n  - name: web\n    table_size: 4099\n    backends:\n";
  for (int i = 1; i <= backends; ++i) {
    absl::StrAppend(&yaml, "      - {name: web-", i, ", address: 10.9.0.", 10 + i,
                    i > enabled ? ", state: disabled" : "", "}\n");
  }
  return yaml;
}

inline model::Config MakeConfig(int backends, int enabled = 1000) {
  return model::ParseYaml(MakeYaml(backends, enabled), "test").config;
}

class DaemonFixture : public KernelTest {
 protected:
  void SetUp() override {
    KernelTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::string pattern = ::testing::TempDir() + "ek-evenkeeld-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    netns_ = std::make_unique<ScopedNetns>();
    pins_ = std::make_unique<ScopedPinDir>();
    netns_->Run(
        "ip link add ek0 type veth peer name ek1 && ip link set ek0 up && ip link set ek1 up && "
        "ip address add 10.9.0.1/24 dev ek0");
    socket_ = dir_ + "/d.sock";
    state_ = dir_ + "/state";
    client_ = rpc::Connect(socket_);
  }
  void TearDown() override {
    daemon_.reset();
    pins_.reset();
    netns_.reset();
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }

  // As if the first `backends` of MakeYaml were there.
  void AddNeighbors(int backends) const {
    netns_->Run(absl::StrCat("for i in $(seq 11 ", 10 + backends,
                             "); do ip neighbour replace 10.9.0.$i lladdr 02:00:00:00:00:02 dev "
                             "ek0 nud permanent; done"));
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = dir_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  Argv CommandLine(const Argv& extra = {}) const {
    Argv argv = prefix_;
    argv.insert(argv.end(),
                {EK_BINARY_DIR "/bin/evenkeeld", "--settings", "/dev/null", "--socket", socket_,
                 "--state-dir", state_, "--pin-dir", pins_->path(), "--interface", "ek0",
                 "--change-interval", "0", "--changes-per-hour", "1000000"});
    argv.insert(argv.end(), extra.begin(), extra.end());
    return argv;
  }
  // To its end, which must come by itself.
  CommandResult RunToEnd(const Argv& argv) {
    const ScopedNetns::Entered inside(*netns_);
    return RunCommand(argv);
  }
  void Launch(const Argv& extra = {}) {
    const ScopedNetns::Entered inside(*netns_);
    daemon_ = std::make_unique<Process>(CommandLine(extra));
  }
  void Start(const Argv& extra = {}) {
    Launch(extra);
    WaitForAnswer();
  }
  // A test without its daemon is over: throws.
  void WaitForAnswer() {
    for (int i = 0; i < 1000 && !HasEnded(); ++i) {
      // A new one each time: the former would wait a while before it connects again.
      client_ = rpc::Connect(socket_);
      if (client_->Get().ok()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    daemon_->Signal(SIGKILL);
    throw std::runtime_error("the daemon does not answer: " + daemon_->Wait().err);
  }
  bool HasEnded() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(daemon_->pid()), &info, WEXITED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid != 0;
  }
  CommandResult End(int signal) {
    daemon_->Signal(signal);
    CommandResult result = daemon_->Wait();
    daemon_.reset();
    return result;
  }
  engine::Outcome Apply(const model::Config& config) {
    engine::Request request;
    request.change.config = config;
    request.etag = client_->Get().value_or(engine::Applied{}).etag;
    request.reason = "a test";
    return client_->Apply(request);
  }
  engine::Status Status() {
    auto status = client_->GetStatus();
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(engine::Status{});
  }
  bool IsPinned(const std::string& name) const {
    return std::filesystem::exists(pins_->path() + "/" + name);
  }

  std::string dir_, socket_, state_;
  Argv prefix_;  // of every command line
  std::unique_ptr<ScopedNetns> netns_;
  std::unique_ptr<ScopedPinDir> pins_;
  std::unique_ptr<engine::Engine> client_;
  std::unique_ptr<Process> daemon_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_DAEMON_FIXTURE_H_
