// SPDX-License-Identifier: Apache-2.0
//
// The lab itself: whoever is killed while it is made or used, the next one removes all of it.
#include <signal.h>

#include <filesystem>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

class LeftoverTest : public LabTest {
 protected:
  static Argv Lab(const Argv& arguments) {
    Argv argv = {"/usr/bin/env", "EVENKEEL_BUILD_DIR=" EK_BINARY_DIR, EK_SOURCE_DIR "/scripts/lab"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

  // Namespaces, directories, pins and processes that carry the id.
  static std::string Leftovers(const std::string& id) {
    return RunCommand({"sh", "-c",
                       "ls -d /run/netns/ek-" + id + "-* /run/evenkeel-lab/" + id +
                           " /sys/fs/bpf/evenkeel/lab-" + id +
                           "* 2>/dev/null; pgrep -af '[/]evenkeel-lab/" + id + "/'"})
        .out;
  }

  const std::string id_ = "x" + std::to_string(getpid());
};

TEST_F(LeftoverTest, LabOfAKilledOwnerIsRemoved) {
  {
    Process owner({"sleep", "600"});
    const CommandResult up =
        RunCommand(Lab({"up", "--id", id_, "--owner", std::to_string(owner.pid())}));
    ASSERT_TRUE(up.ok()) << up;
    EXPECT_NE(Leftovers(id_), "");
    ASSERT_TRUE(RunCommand(Lab({"down", "--abandoned"})).ok());
    EXPECT_NE(Leftovers(id_), "") << "the owner lives: the lab must stay";
  }
  const CommandResult down = RunCommand(Lab({"down", "--abandoned"}));
  EXPECT_TRUE(down.ok()) << down;
  EXPECT_EQ(Leftovers(id_), "");
}

// Killed at many points of its making, a lab can be removed and made again.
TEST_F(LeftoverTest, HalfMadeLabIsRemoved) {
  for (int delay_ms = 10; delay_ms < 1000; delay_ms += 90) {
    SCOPED_TRACE(delay_ms);
    Process up(Lab({"up", "--id", id_}));
    std::this_thread::sleep_for(milliseconds(delay_ms));
    up.Signal(SIGKILL);
    up.Wait();
    std::this_thread::sleep_for(milliseconds(50));  // what it had started ends
    const CommandResult down = RunCommand(Lab({"down", id_}));
    ASSERT_TRUE(down.ok()) << down;
    ASSERT_EQ(Leftovers(id_), "");
  }
}

TEST_F(LeftoverTest, FailedLabRemovesItself) {
  const std::string config = "/tmp/evenkeel-" + id_ + ".yaml";
  WriteFile(config, "vips: [{name: web, pool: nowhere}]\n");
  const CommandResult up = RunCommand(Lab({"up", "--id", id_, "--config", config}));
  std::filesystem::remove(config);
  EXPECT_FALSE(up.ok());
  EXPECT_NE(up.err.find("evenkeeld"), std::string::npos) << up;
  EXPECT_EQ(Leftovers(id_), "");
}

}  // namespace
}  // namespace evenkeel::testing
