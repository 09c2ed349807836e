// SPDX-License-Identifier: Apache-2.0
//
// The first start, and starts that must not happen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = engine::Outcome::Kind;

class StartTest : public DaemonFixture {};

TEST_F(StartTest, BootstrapsFromItsFile) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const engine::Status status = Status();
  EXPECT_EQ(status.applied.revision, 1u);
  EXPECT_TRUE(status.digest_matches);
  EXPECT_EQ(status.kernel_digest.size(), 64u);
  ASSERT_EQ(status.interfaces.size(), 1u);
  EXPECT_EQ(status.interfaces[0].name, "ek0");
  EXPECT_EQ(status.interfaces[0].mode, "native");
  EXPECT_FALSE(status.interfaces[0].adopted);
  EXPECT_EQ(client_->Get()->config, MakeConfig(4));
  EXPECT_TRUE(IsPinned("balancer"));
  EXPECT_EQ(client_->GetRevision(1)->source, "bootstrap");
  EXPECT_EQ(End(SIGTERM).exit_code, 0);
  EXPECT_TRUE(IsPinned("balancer"));
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(StartTest, WithoutAFileItWaitsForTheFirstApply) {
  Start();
  EXPECT_EQ(Status().applied.revision, 0u);
  EXPECT_THAT(Status().kernel_digest, IsEmpty());
  EXPECT_THAT(Status().notices, Contains(HasSubstr("evenkeel apply -f")));
  const engine::Outcome outcome = Apply(MakeConfig(4));
  ASSERT_EQ(outcome.kind, Kind::kApplied) << outcome.status;
  EXPECT_GT(outcome.publish->probes, 0u);
  EXPECT_TRUE(Status().digest_matches);
}

TEST_F(StartTest, ARefusedFirstFileExitsWithThreeAndLeavesNothing) {
  const std::string file = Write("outage.yaml", MakeYaml(4, /*enabled=*/1));
  const CommandResult result = RunToEnd(CommandLine({"--config", file}));
  EXPECT_EQ(result.exit_code, 3) << result;
  for (const char* part : {"LB003", "observed:", "limit:", "fix:", "nothing was changed"}) {
    EXPECT_THAT(result.err, HasSubstr(part));
  }
  EXPECT_FALSE(IsPinned("balancer"));
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(StartTest, ARefusedFirstFileLeavesWhatForwards) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const std::string digest = Status().kernel_digest;
  End(SIGKILL);
  for (const char* file : {"history.db", "history.db-wal", "history.db-shm"}) {
    std::filesystem::remove(state_ + "/" + file);  // the state directory was lost, the key kept
  }
  const std::string file = Write("outage.yaml", MakeYaml(4, 1));
  EXPECT_EQ(RunToEnd(CommandLine({"--config", file})).exit_code, 3);
  EXPECT_TRUE(IsPinned("balancer"));
  Start();
  EXPECT_EQ(Status().kernel_digest, digest);
  EXPECT_THAT(Status().notices, Contains(HasSubstr("history does not know")));
}

TEST_F(StartTest, AnInvalidFirstFileExitsWithOneAndItsPlace) {
  const std::string file = Write("bad.yaml", MakeYaml(4) + "    wieght: 3\n");
  const CommandResult result = RunToEnd(CommandLine({"--config", file}));
  EXPECT_EQ(result.exit_code, 1) << result;
  EXPECT_THAT(result.err, HasSubstr(file + ":"));
  EXPECT_EQ(RunToEnd(CommandLine({"--config", dir_ + "/absent.yaml"})).exit_code, 1);
  EXPECT_FALSE(IsPinned("balancer"));
}

TEST_F(StartTest, ASocketInUseIsLeftToItsDaemon) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const ScopedPinDir other_pins;
  const CommandResult result =
      RunToEnd({EK_BINARY_DIR "/bin/evenkeeld", "--settings", "/dev/null", "--socket", socket_,
                "--state-dir", dir_ + "/other", "--pin-dir", other_pins.path()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(socket_));
  EXPECT_TRUE(client_->Get().ok());
}

TEST_F(StartTest, AStateDirectoryInUseNamesItsDaemon) {
  Start();
  const std::string pid = std::to_string(daemon_->pid());
  const CommandResult result = RunToEnd(CommandLine({"--socket", dir_ + "/other.sock"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("pid " + pid));
}

TEST_F(StartTest, PinsInUseAreLeftToTheirDaemon) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const CommandResult result =
      RunToEnd(CommandLine({"--socket", dir_ + "/other.sock", "--state-dir", dir_ + "/other"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(pins_->path()));
  EXPECT_TRUE(Status().digest_matches);
}

TEST_F(StartTest, AnUnknownInterfaceIsNamed) {
  const CommandResult result = RunToEnd(CommandLine({"--interface", "nope0"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("nope0"));
}

TEST_F(StartTest, AnOpenKeyFileIsRefused) {
  std::filesystem::create_directory(state_);
  Write("state/hash.key", "000102030405060708090a0b0c0d0e0f\n");
  ASSERT_EQ(::chmod((state_ + "/hash.key").c_str(), 0644), 0);
  const CommandResult result = RunToEnd(CommandLine());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("chmod 0600"));
  EXPECT_FALSE(IsPinned("balancer"));
}

TEST_F(StartTest, ADamagedHistoryStopsTheStartNotThePackets) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  End(SIGKILL);
  for (const char* file : {"history.db-wal", "history.db-shm"}) {
    std::filesystem::remove(state_ + "/" + file);
  }
  Write("state/history.db", std::string(8192, 'x'));
  const CommandResult result = RunToEnd(CommandLine());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("history.db"));
  EXPECT_TRUE(IsPinned("balancer"));
}

TEST_F(StartTest, BadFlagsExitWithOne) {
  for (const Argv& bad : {Argv{"--mode", "fast"}, Argv{"--nonsense"}, Argv{"--socket", "rel"}}) {
    const CommandResult result = RunToEnd(CommandLine(bad));
    EXPECT_EQ(result.exit_code, 1) << bad[0];
    EXPECT_THAT(result.err, HasSubstr("evenkeeld: ")) << bad[0];
  }
}

TEST_F(StartTest, SettingsComeFromTheirFile) {
  const std::string settings = Write(
      "evenkeeld.yaml",
      absl::StrCat("socket: ", socket_, "\nstate_dir: ", state_, "\npin_dir: ", pins_->path(),
                   "\ninterface: ek0\nmode: generic\nconfig: ", Write("web.yaml", MakeYaml(4)),
                   "\nlog_format: json\n"));
  {
    const ScopedNetns::Entered inside(*netns_);
    daemon_ =
        std::make_unique<Process>(Argv{EK_BINARY_DIR "/bin/evenkeeld", "--settings", settings});
  }
  WaitForAnswer();
  ASSERT_EQ(Status().interfaces.size(), 1u);
  EXPECT_EQ(Status().interfaces[0].mode, "generic");
  EXPECT_THAT(End(SIGTERM).err, HasSubstr(R"({"time":")"));
}

TEST_F(StartTest, DetachOnExitRemovesEverything) {
  Start({"--config", Write("web.yaml", MakeYaml(4)), "--detach-on-exit"});
  EXPECT_THAT(netns_->Output("ip -j link show ek0"), HasSubstr("xdp"));
  EXPECT_EQ(End(SIGINT).exit_code, 0);
  EXPECT_FALSE(IsPinned("balancer"));
  EXPECT_THAT(netns_->Output("ip -j link show ek0"), Not(HasSubstr("\"xdp\"")));
}

TEST_F(StartTest, TheServiceManagerIsTold) {
  const std::string path = dir_ + "/notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  Start();
  ::unsetenv("NOTIFY_SOCKET");
  End(SIGTERM);
  std::string told(64, '\0');
  told.resize(static_cast<size_t>(
      std::max<ssize_t>(0, ::recv(fd, told.data(), told.size(), MSG_DONTWAIT))));
  EXPECT_EQ(told, "READY=1");
  ::close(fd);
}

}  // namespace
}  // namespace evenkeel::testing
