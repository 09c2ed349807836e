// SPDX-License-Identifier: Apache-2.0
#include "control/engine/file_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = Watched::State;

Reading Whole(const model::Config& config) {
  Reading reading;
  reading.parsed.config = config;
  return reading;
}

class FileFollowerTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    Start();
  }
  void Start(seconds window = seconds(0)) {
    follower_.reset();
    StartDaemon();
    MustStart();
    engine_->Subscribe([this](const Event& event) { events_.push_back(event.kind); });
    follower_ = std::make_unique<FileFollower>(
        engine_.get(), FollowOptions{.path = "/etc/web.yaml",
                                     .window = window,
                                     .now_unix_ns = [this] { return now_ns_.load(); },
                                     .steady_ns = [this] { return steady_ns_.load(); }});
  }
  void TearDown() override {
    follower_.reset();
    EngineFixture::TearDown();
  }

  Watched Write(const model::Config& config) {
    follower_->Step(Whole(config));
    return Now();
  }
  Watched Later(seconds time = seconds(1)) {
    Pass(time);
    follower_->Step(std::nullopt);
    return Now();
  }
  Watched Now() { return *engine_->GetStatus()->watched; }
  uint64_t InForce() { return engine_->Get()->revision; }
  model::Config Running() { return engine_->Get()->config; }
  size_t Records() { return engine_->ListRevisions(100)->size(); }

  std::unique_ptr<FileFollower> follower_;
  std::vector<Event::Kind> events_;
};

TEST_F(FileFollowerTest, IsNoAlarmBeforeTheFirstReading) {
  EXPECT_EQ(Now().state, State::kWaiting);
  EXPECT_EQ(Later().state, State::kWaiting);
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(FileFollowerTest, AppliesWhatTheFileSaysAndThenWhatItSaysNext) {
  const Watched first = Write(MakeConfig(8));
  EXPECT_EQ(first.state, State::kFollowing);
  EXPECT_EQ(first.revision, 1u);
  EXPECT_EQ(Running(), MakeConfig(8));
  EXPECT_EQ(Write(MakeConfig(9)).revision, 2u);
  EXPECT_EQ(Running(), MakeConfig(9));
  const history::Revision record = *engine_->GetRevision(2);
  EXPECT_EQ(record.source, "watch");
  EXPECT_EQ(record.author, "evenkeeld");
  EXPECT_EQ(record.reason, "/etc/web.yaml changed");
  EXPECT_EQ(record.base, 1u);
}

TEST_F(FileFollowerTest, AFileThatIsWrittenAgainAsItWasChangesNothing) {
  Write(MakeConfig(8));
  Write(MakeConfig(8));
  Later(seconds(60));
  EXPECT_EQ(InForce(), 1u);
  EXPECT_EQ(Records(), 1u);
}

TEST_F(FileFollowerTest, WhatIsShrunkenIsHeldUntilItIsWhole) {
  Write(MakeConfig(8));
  const Watched held = Write(MakeConfig(3));
  EXPECT_EQ(held.state, State::kHeld);
  EXPECT_THAT(held.detail, HasSubstr("it lacks 5 of the 8 backends of pool web"));
  EXPECT_EQ(held.revision, 1u);
  Later(seconds(600));
  EXPECT_EQ(Running(), MakeConfig(8));
  EXPECT_EQ(Write(MakeConfig(9)).state, State::kFollowing);
  EXPECT_THAT(events_, ElementsAre(Event::Kind::kApplied, Event::Kind::kHeld, Event::Kind::kApplied,
                                   Event::Kind::kFollowing));
}

TEST_F(FileFollowerTest, WhatIsGoneIsNotDeleted) {
  Write(MakeConfig(8));
  Reading absent;
  absent.problem = "there is no such file";
  follower_->Step(absent);
  EXPECT_EQ(Now().state, State::kHeld);
  EXPECT_EQ(Running(), MakeConfig(8));
  // Back, as it was.
  EXPECT_EQ(Write(MakeConfig(8)).state, State::kFollowing);
  EXPECT_EQ(InForce(), 1u);
}

TEST_F(FileFollowerTest, WhatTheGuardRefusesIsHeldAndRecordedOnce) {
  Write(MakeConfig(8));
  model::Config bad = MakeConfig(8);
  bad.pools[0].backends[0].weight = 1000;
  const Watched held = Write(bad);
  EXPECT_EQ(held.state, State::kHeld);
  EXPECT_THAT(held.detail, AllOf(HasSubstr("LB001"), HasSubstr("evenkeel plan -f /etc/web.yaml")));
  for (int i = 0; i < 5; ++i) Later(seconds(11));
  EXPECT_EQ(Records(), 2u);
  EXPECT_EQ((*engine_->ListRevisions(1))[0].source, "watch");
  Write(bad);
  EXPECT_EQ(Records(), 3u) << "written again is meant again";
}

// What the person on call did is not undone by a file that does not know of it.
TEST_F(FileFollowerTest, AStateThatTheFileDoesNotKnowHoldsIt) {
  Write(MakeConfig(8));
  Request drain;
  drain.change.edit = Edit{.pool = "", .backend = "web-2", .state = model::AdminState::kDraining};
  drain.reason = "web-2 burns";
  drain.author = "uid 1000 (alice)";
  ASSERT_EQ(engine_->Apply(drain).kind, Outcome::Kind::kApplied);
  EXPECT_EQ(Later().state, State::kHeld) << "already before the file changes";
  const Watched held = Write(MakeConfig(9));
  EXPECT_EQ(held.state, State::kHeld);
  EXPECT_THAT(held.detail,
              AllOf(HasSubstr("revision 2 by uid 1000 (alice) (web-2 burns) is in force"),
                    HasSubstr("evenkeel get > /etc/web.yaml")));
  EXPECT_EQ(InForce(), 2u);
  // The drain ends, and with it the reason: what is in force is what the file said first.
  drain.change.edit->state = model::AdminState::kEnabled;
  ASSERT_EQ(engine_->Apply(drain).kind, Outcome::Kind::kApplied);
  EXPECT_EQ(Later().state, State::kHeld) << "revision 3 is not what it says now";
  ASSERT_EQ(engine_->Apply(MakeRequest(MakeConfig(9))).kind, Outcome::Kind::kApplied);
  const Watched again = Later();
  EXPECT_EQ(again.state, State::kFollowing);
  EXPECT_EQ(again.revision, 4u);
  EXPECT_EQ(Write(MakeConfig(10)).revision, 5u);
}

TEST_F(FileFollowerTest, ARollbackIsNotUndoneByTheSameFileAgain) {
  Write(MakeConfig(8));
  Write(MakeConfig(9));
  ASSERT_EQ(engine_->RollBack({.reason = "errors", .author = "bob"}).kind, Outcome::Kind::kApplied);
  EXPECT_EQ(Later().state, State::kHeld);
  EXPECT_EQ(Write(MakeConfig(9)).state, State::kHeld);
  EXPECT_EQ(Write(MakeConfig(10)).state, State::kHeld);
  EXPECT_EQ(Running(), MakeConfig(8));
  // The generator is mended: it says what is in force.
  EXPECT_EQ(Write(MakeConfig(8)).state, State::kFollowing);
  EXPECT_EQ(Write(MakeConfig(10)).state, State::kFollowing);
}

TEST_F(FileFollowerTest, GoesOnAfterARestart) {
  Write(MakeConfig(8));
  Start();
  EXPECT_EQ(Write(MakeConfig(9)).state, State::kFollowing);
  EXPECT_EQ(InForce(), 2u);
  ASSERT_EQ(engine_->Apply(MakeRequest(MakeConfig(10))).kind, Outcome::Kind::kApplied);
  Start();
  EXPECT_EQ(Write(MakeConfig(11)).state, State::kHeld) << "somebody else's";
}

TEST_F(FileFollowerTest, WhatOnlyTimeHoldsUpWaitsAndIsAppliedThen) {
  pace_ = {};
  Start();
  Write(MakeConfig(8));
  const Watched waiting = Write(MakeConfig(9));
  EXPECT_EQ(waiting.state, State::kWaiting);
  EXPECT_THAT(waiting.detail, HasSubstr("LB014"));
  EXPECT_EQ(Later(seconds(15)).state, State::kWaiting);
  EXPECT_EQ(Later(seconds(16)).state, State::kFollowing);
  EXPECT_EQ(Running(), MakeConfig(9));
  EXPECT_EQ(Records(), 2u) << "no refusal";
  EXPECT_THAT(events_, ElementsAre(Event::Kind::kApplied, Event::Kind::kApplied));
}

TEST_F(FileFollowerTest, WhatCannotBePublishedIsTriedAgain) {
  Write(MakeConfig(8));
  kernel_.publish_error = absl::ResourceExhaustedError("no memory for maps");
  const Watched held = Write(MakeConfig(9));
  EXPECT_EQ(held.state, State::kHeld);
  EXPECT_THAT(held.detail, HasSubstr("no memory for maps"));
  kernel_.publish_error = absl::OkStatus();
  EXPECT_EQ(Later(seconds(5)).state, State::kHeld);
  EXPECT_EQ(Later(seconds(6)).state, State::kFollowing);
  EXPECT_EQ(Running(), MakeConfig(9));
}

TEST_F(FileFollowerTest, AChangeIsWatchedForItsWindow) {
  Start(seconds(60));
  EXPECT_EQ(Write(MakeConfig(8)).state, State::kFollowing) << "nothing to go back to";
  EXPECT_FALSE(engine_->Get()->awaits());
  EXPECT_EQ(Write(MakeConfig(9)).state, State::kFollowing);
  EXPECT_TRUE(engine_->Get()->awaits());
  EXPECT_TRUE(engine_->Get()->auto_confirm);
  EXPECT_EQ(Write(MakeConfig(10)).state, State::kWaiting);
  objection_ = "web-9 has 5 times its share";
  EXPECT_EQ(Later().state, State::kHeld);
  EXPECT_EQ(Running(), MakeConfig(8));
}

TEST_F(FileFollowerTest, TheNextChangeComesAfterTheWindow) {
  Start(seconds(60));
  Write(MakeConfig(8));
  Write(MakeConfig(9));
  Write(MakeConfig(10));
  Later(seconds(61));
  EXPECT_EQ(Later(seconds(11)).state, State::kFollowing);
  EXPECT_EQ(Running(), MakeConfig(10));
}

TEST_F(FileFollowerTest, SinceIsWhenItsStandingBegan) {
  Write(MakeConfig(8));
  Write(MakeConfig(3));
  const int64_t since = Now().since_unix_ns;
  Pass(seconds(100));
  EXPECT_EQ(Write(MakeConfig(2)).since_unix_ns, since);
  EXPECT_GT(Write(MakeConfig(8)).since_unix_ns, since + 99'000'000'000);
}

}  // namespace
}  // namespace evenkeel::engine
