// SPDX-License-Identifier: Apache-2.0
//
// A server is drained, and stopped when the wait says so: with connections that talk, and with ones
// that do not.
#include <signal.h>

#include <sstream>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

class DrainTest : public LabTest {
 protected:
  // A daemon for which a connection without packets is over after ten seconds.
  void MakeDrainLab() {
    MakeLab({.config = State{}.ToYaml()});
    lab().SignalDaemon(SIGTERM);
    ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
    WriteFile(lab().file("settings.yaml"), "flow_idle_timeout: 10\n");
    const CommandResult started = lab().StartDaemon({"--settings", lab().file("settings.yaml")});
    ASSERT_EQ(started.exit_code, 0) << started;
  }
  CommandResult Drain(Argv more) {
    Argv argv = {"drain", "b4", "--pool", "four", "--yes", "--wait"};
    argv.insert(argv.end(), more.begin(), more.end());
    return lab().Cli(std::move(argv));
  }
  void StopServer(const std::string& name) {
    const pid_t pid = std::stoi(ReadFile(lab().file(name + "/nginx.pid")));
    ASSERT_EQ(::kill(pid, SIGTERM), 0);
    ASSERT_TRUE(Eventually(milliseconds(5000), [&] { return ::kill(pid, 0) != 0; }));
  }
  static std::vector<nlohmann::json> Lines(const std::string& text) {
    std::vector<nlohmann::json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("{\"schema\":\"evenkeel.drain")) {
        lines.push_back(nlohmann::json::parse(line));
      }
    }
    return lines;
  }
};

TEST_F(DrainTest, EndsAfterTheLastConnectionAndThenNobodyMissesTheServer) {
  MakeDrainLab();
  auto talking = std::make_unique<Load>(lab(), Load::Options{.rate = 200, .connections = 60});
  Load others(lab(), {.rate = 200});
  std::this_thread::sleep_for(milliseconds(1500));

  const CommandResult early = Drain({"--timeout", "3s"});
  EXPECT_EQ(early.exit_code, 7) << early;
  EXPECT_NE(early.err.find("packets/s"), std::string::npos) << early;
  EXPECT_NE(early.err.find("b4 stays drained"), std::string::npos) << early;
  EXPECT_EQ(FindBackend(lab().Status(), "four", "b4").at("state"), "draining");

  CommandResult drained;
  std::thread waiting([&] { drained = Drain({"--timeout", "90s", "-o", "json"}); });
  std::this_thread::sleep_for(milliseconds(12000));  // longer than a connection may be idle
  const Load::Summary talked = talking->Stop();
  const auto closed = std::chrono::steady_clock::now();
  waiting.join();
  const auto waited = std::chrono::steady_clock::now() - closed;
  ExpectNoneLost(talked);
  EXPECT_GT(talked.backends.at("b4"), 0u);
  ASSERT_EQ(drained.exit_code, 0) << drained;
  const std::vector<nlohmann::json> lines = Lines(drained.out);
  ASSERT_GT(lines.size(), 12u) << drained;
  for (size_t i = 2; i < 10; ++i) {
    EXPECT_EQ(lines[i].at("state"), "draining");
    EXPECT_EQ(lines[i].at("safe_to_stop"), false);
    EXPECT_GT(lines[i].at("places").at(0).at("packets_per_s"), 0) << lines[i];
    EXPECT_GT(lines[i].at("places").at(0).at("used_slots"), 0) << lines[i];
    EXPECT_EQ(lines[i].at("places").at(0).at("slots"), 0) << lines[i];
  }
  EXPECT_EQ(lines.back().at("outcome"), "safe") << lines.back();
  EXPECT_EQ(lines.back().at("places").at(0).at("held_slots"), 0) << lines.back();
  EXPECT_GT(waited, milliseconds(8000)) << "only time tells that an idle connection is over";
  EXPECT_LT(waited, milliseconds(30000));

  StopServer("b4");
  std::this_thread::sleep_for(milliseconds(2000));
  const Load::Summary summary = others.Stop();
  ExpectNoneLost(summary);
}

// New connections during a move are pinned, and so are counted one by one.
TEST_F(DrainTest, ConnectionsThatArePinnedAreCounted) {
  MakeDrainLab();
  ASSERT_TRUE(lab().Cli({"drain", "b4", "--pool", "four", "--yes"}).ok());
  ASSERT_TRUE(lab().Cli({"undrain", "b4", "--pool", "four", "--yes"}).ok());
  Load talking(lab(), {.rate = 200, .connections = 60});
  std::this_thread::sleep_for(milliseconds(1500));
  const CommandResult result = Drain({"--timeout", "4s", "-o", "json"});
  EXPECT_EQ(result.exit_code, 7) << result;
  const std::vector<nlohmann::json> lines = Lines(result.out);
  ASSERT_FALSE(lines.empty()) << result;
  EXPECT_EQ(lines.back().at("outcome"), "timeout");
  const uint64_t pinned = lines.back().at("places").at(0).at("pinned_flows");
  EXPECT_GE(pinned, 5u) << "a quarter of sixty";
  EXPECT_LE(pinned, 40u);
  ExpectNoneLost(talking.Stop());
}

TEST_F(DrainTest, QuietIsNotSafe) {
  MakeDrainLab();
  const std::string open =
      "for i in $(seq 40); do exec {fd}<>/dev/tcp/192.0.2.10/80; "
      "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&$fd; done; exec sleep 60";
  const Process idle(lab().In("client", {"bash", "-c", open}));
  std::this_thread::sleep_for(milliseconds(2000));
  const CommandResult drained = Drain({"--quiet", "4s", "--timeout", "30s"});
  ASSERT_EQ(drained.exit_code, 0) << drained;
  EXPECT_NE(drained.out.find("no packet for 4 s, as asked"), std::string::npos) << drained;
  EXPECT_NE(drained.out.find("connections from before may be in"), std::string::npos) << drained;
  EXPECT_EQ(drained.out.find("safe to stop: "), std::string::npos) << drained;
}

}  // namespace
}  // namespace evenkeel::testing
