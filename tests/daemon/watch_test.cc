// SPDX-License-Identifier: Apache-2.0
//
// A file that something else writes, on a real daemon.
#include <gmock/gmock.h>

#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::HasSubstr;
using State = engine::Watched::State;

class WatchTest : public DaemonFixture {
 protected:
  void SetUp() override {
    DaemonFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    AddNeighbors(12);
    path_ = dir_ + "/web.yaml";
    extra_ = {"--watch", path_};
  }
  void Replace(const std::string& text) { std::filesystem::rename(Write("new", text), path_); }
  // How it stands once `revision` is what it says, or once it is held for `reason`.
  engine::Watched WaitFor(State state, const std::string& reason, uint64_t revision) {
    engine::Watched watched;
    for (int i = 0; i < 600; ++i) {
      watched = Status().watched.value_or(engine::Watched{});
      const bool there = watched.state == state && watched.revision == revision &&
                         watched.detail.find(reason) != std::string::npos;
      if (there) return watched;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "waited for \"" << reason << "\", revision " << revision << "; it says "
                  << watched.detail << ", revision " << watched.revision;
    return watched;
  }
  void ExpectInForce(int backends) {
    const engine::Status status = Status();
    EXPECT_TRUE(status.digest_matches);
    ASSERT_EQ(status.pools.size(), 1u);
    EXPECT_EQ(status.pools[0].backends.size(), static_cast<size_t>(backends));
  }

  std::string path_;
  Argv extra_;
};

TEST_F(WatchTest, TheFileIsFollowedAndWhatIsNotMeantIsHeld) {
  Start(extra_);
  WaitFor(State::kHeld, "there is no such file", 0);
  Replace(MakeYaml(8));
  WaitFor(State::kFollowing, "", 1);
  ExpectInForce(8);

  std::string cut = MakeYaml(8);
  cut.pop_back();
  Replace(cut + " # and");
  // It says the same still, however it ends.
  WaitFor(State::kFollowing, "", 1);
  cut = MakeYaml(9);
  cut.pop_back();
  Replace(cut);
  WaitFor(State::kHeld, "its last line has no end", 1);
  Replace(MakeYaml(3));
  WaitFor(State::kHeld, "it lacks 5 of the 8 backends of pool web", 1);
  std::filesystem::remove(path_);
  WaitFor(State::kHeld, "there is no such file", 1);
  ExpectInForce(8);

  Replace(MakeYaml(9));
  WaitFor(State::kFollowing, "", 2);
  ExpectInForce(9);
}

TEST_F(WatchTest, ItIsFollowedAfterARestartAndNotBeyondARollback) {
  Replace(MakeYaml(8));
  Start(extra_);
  WaitFor(State::kFollowing, "", 1);
  End(SIGKILL);
  Replace(MakeYaml(9));
  Start(extra_);
  WaitFor(State::kFollowing, "", 2);
  EXPECT_EQ(client_->GetRevision(2)->source, "watch");

  ASSERT_EQ(client_->RollBack({.reason = "errors"}).kind, engine::Outcome::Kind::kApplied);
  WaitFor(State::kHeld, "is in force, which the file did not say before", 2);
  Replace(MakeYaml(10));
  std::this_thread::sleep_for(std::chrono::seconds(5));  // more than it takes to be read
  WaitFor(State::kHeld, "revision 3 by", 2);
  ExpectInForce(8);
  EXPECT_EQ(End(SIGTERM).exit_code, 0);
}

}  // namespace
}  // namespace evenkeel::testing
