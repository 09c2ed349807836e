// SPDX-License-Identifier: Apache-2.0
//
// The daemon's life and death: packets do not depend on it, and what it finds at its start is what
// it left.
#include <signal.h>

#include <filesystem>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

class DaemonTest : public LabTest {
 protected:
  void EndDaemon(int signal) {
    lab().SignalDaemon(signal);
    ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000))) << lab().DaemonLog();
  }

  bool BalancerHasXdp() {
    const CommandResult result = lab().RunIn("balancer", {"ip", "-j", "link", "show", "eth0"});
    return nlohmann::json::parse(result.out).at(0).contains("xdp");
  }

  bool ServiceAnswers() {
    return lab().RunIn("client", {"curl", "-sf", "--max-time", "2", "http://192.0.2.10/"}).ok();
  }
};

struct Ending {
  std::string name;
  int signal;

  friend std::ostream& operator<<(std::ostream& out, const Ending& v) { return out << v.name; }
};
class DaemonEndsTest : public DaemonTest, public ::testing::WithParamInterface<Ending> {};

TEST_P(DaemonEndsTest, TrafficGoesOnAndNextStartAdopts) {
  MakeLab({.config = State{}.ToYaml()});
  const nlohmann::json before = lab().Status();
  Load load(lab(), {.rate = 500});
  std::this_thread::sleep_for(milliseconds(500));
  EndDaemon(GetParam().signal);
  std::this_thread::sleep_for(milliseconds(1000));
  const CommandResult start = lab().StartDaemon();
  ASSERT_TRUE(start.ok()) << start;
  std::this_thread::sleep_for(milliseconds(1000));
  ExpectNoneLost(load.Stop());

  const nlohmann::json after = lab().Status();
  EXPECT_EQ(after.at("kernel_digest"), before.at("kernel_digest"));
  EXPECT_EQ(after.at("applied").at("revision"), before.at("applied").at("revision"));
  EXPECT_TRUE(after.at("digest_matches"));
  EXPECT_FALSE(after.at("adoption").get<std::string>().empty());
  EXPECT_TRUE(after.at("interfaces").at(0).at("adopted"));

  // The adopted state can be changed.
  State drained;
  drained.extra[4] = "state: draining";
  const CommandResult result = lab().Apply(drained.ToYaml());
  EXPECT_EQ(result.exit_code, 0) << result;
}

const Ending kEndings[] = {{"killed", SIGKILL}, {"terminated", SIGTERM}};
INSTANTIATE_TEST_SUITE_P(Endings, DaemonEndsTest, ::testing::ValuesIn(kEndings),
                         [](const auto& test) { return test.param.name; });

TEST_F(DaemonTest, DetachOnExitRemovesAll) {
  MakeLab();
  EndDaemon(SIGTERM);
  EXPECT_TRUE(BalancerHasXdp());
  EXPECT_TRUE(ServiceAnswers());
  const CommandResult start = lab().StartDaemon({"--detach-on-exit"});
  ASSERT_TRUE(start.ok()) << start;
  EndDaemon(SIGTERM);
  EXPECT_FALSE(BalancerHasXdp());
  EXPECT_FALSE(std::filesystem::exists(lab().fact("pin_dir")));
  EXPECT_FALSE(ServiceAnswers());
}

// A reboot loses what the kernel holds and keeps the state directory. What was applied last comes
// back, not what the configuration file says.
TEST_F(DaemonTest, RebootBringsBackTheAppliedState) {
  MakeLab({.config = State{}.ToYaml()});
  State drained;
  drained.extra[4] = "state: draining";
  const CommandResult result = lab().Apply(drained.ToYaml());
  ASSERT_EQ(result.exit_code, 0) << result;
  const nlohmann::json before = lab().Status();

  EndDaemon(SIGKILL);
  std::filesystem::remove_all(lab().fact("pin_dir"));
  ASSERT_TRUE(Eventually(milliseconds(5000), [&] { return !BalancerHasXdp(); }));
  EXPECT_FALSE(ServiceAnswers());

  const CommandResult start = lab().StartDaemon();
  ASSERT_TRUE(start.ok()) << start;
  const nlohmann::json after = lab().Status();
  EXPECT_EQ(after.at("kernel_digest"), before.at("kernel_digest"));
  EXPECT_EQ(after.at("applied").at("revision"), before.at("applied").at("revision"));
  const Load::Summary summary = Load(lab(), {.rate = 300, .seconds = 2}).Wait();
  ExpectNoneLost(summary);
  EXPECT_EQ(summary.backends.count("b4"), 0u);
}

// Labs, and so balancers on one host, do not disturb each other.
TEST_F(DaemonTest, TwoInstancesSideBySide) {
  MakeLab();
  auto second = std::make_unique<NetnsLab>();
  EXPECT_TRUE(ServiceAnswers());
  EXPECT_NE(second->fact("pin_dir"), lab().fact("pin_dir"));
  second.reset();
  EXPECT_TRUE(ServiceAnswers());
  EXPECT_TRUE(lab().Status().at("digest_matches"));
}

}  // namespace
}  // namespace evenkeel::testing
