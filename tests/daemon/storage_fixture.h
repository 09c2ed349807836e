// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_DAEMON_STORAGE_FIXTURE_H_
#define EVENKEEL_TESTS_DAEMON_STORAGE_FIXTURE_H_

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "tests/daemon/daemon_fixture.h"
#include "tests/daemon/table_in_force.h"

namespace evenkeel::testing {

// A daemon whose state directory is a small file system of its own, in a mount namespace of this
// process: the mount ends with the process, however that ends.
class StorageFixture : public DaemonFixture {
 protected:
  void SetUp() override {
    DaemonFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "needs root for a mount namespace";
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    std::filesystem::create_directory(state_);
    ASSERT_EQ(::mount("none", state_.c_str(), "tmpfs", 0, "size=2m"), 0);
    AddNeighbors(12);
    Start({"--config", Write("web.yaml", MakeYaml(8))});
    ASSERT_EQ(Apply(MakeConfig(9)).kind, engine::Outcome::Kind::kApplied);
    table_ = ReadTableInForce(pins_->path());
  }
  void TearDown() override {
    daemon_.reset();
    ::umount2(state_.c_str(), MNT_DETACH);
    DaemonFixture::TearDown();
  }

  std::string DatabasePath() const { return state_ + "/history.db"; }
  void MakeReadOnly(bool read_only) {
    ASSERT_EQ(::mount("none", state_.c_str(), "tmpfs", MS_REMOUNT | (read_only ? MS_RDONLY : 0),
                      "size=2m"),
              0);
  }
  // To the last byte.
  void FillDisk() {
    std::ofstream filler(state_ + "/filler", std::ios::binary);
    const std::string block(4096, 'x');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void FreeDisk() { std::filesystem::remove(state_ + "/filler"); }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static void WriteFile(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  // Needs no daemon: packets meet the table that they met at the beginning.
  void ExpectForwarding() {
    EXPECT_TRUE(ReadTableInForce(pins_->path()) == table_);
    const ScopedNetns::Entered inside(*netns_);
    EXPECT_FALSE(ServersOfFlows(pins_->path(), "192.0.2.10", 80).contains(0));
  }
  // Until `done`, or for much longer than it takes.
  template <typename Condition>
  static bool Await(Condition done) {
    for (int i = 0; i < 600; ++i) {
      if (done()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  std::vector<uint32_t> table_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_STORAGE_FIXTURE_H_
