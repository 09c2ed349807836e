// SPDX-License-Identifier: Apache-2.0
//
// Windows in which a change must be confirmed, and what becomes known as good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/confirmation_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Outcome::Kind;
using std::chrono::seconds;

using ConfirmationTest = ConfirmationFixture;

TEST_F(ConfirmationTest, WhatIsConfirmedInTimeStays) {
  ApplyAwaited();
  EXPECT_EQ(engine_->Get()->deadline_unix_ns - engine_->Get()->applied_unix_ns, 120'000'000'000);
  Pass(seconds(119));
  const Outcome outcome =
      engine_->Confirm({.revision = 2, .reason = "looks right", .author = "bob"});
  ASSERT_EQ(outcome.kind, Kind::kConfirmed) << outcome.status;
  EXPECT_FALSE(outcome.applied.awaits());
  Pass(seconds(1000));
  EXPECT_EQ(InForce(), MakeConfig(5));
  EXPECT_EQ(Recorded(2).standing, history::Standing::kConfirmed);
  EXPECT_EQ(Recorded(2).settled_by, "bob");
  EXPECT_THAT(events_,
              ElementsAre(Event::Kind::kApplied, Event::Kind::kApplied, Event::Kind::kConfirmed));
}

TEST_F(ConfirmationTest, WhatNobodyConfirmsIsRolledBackByTheDaemon) {
  ApplyAwaited();
  Pass(seconds(119));
  EXPECT_EQ(engine_->Get()->revision, 2u);
  Pass(seconds(1));
  ExpectFourAgain(3);
  EXPECT_EQ(engine_->Get()->restores, 1u);
  EXPECT_FALSE(engine_->Get()->awaits());
  EXPECT_EQ(Recorded(2).standing, history::Standing::kRolledBack);
  EXPECT_EQ(Recorded(2).settled_why, "revision 2: not confirmed within 120 s");
  EXPECT_EQ(Recorded(3).source, "window");
  EXPECT_EQ(Recorded(3).author, "evenkeeld");
  EXPECT_THAT(events_,
              ElementsAre(Event::Kind::kApplied, Event::Kind::kApplied, Event::Kind::kRolledBack));
  MustApply(MakeConfig(5));
}

TEST_F(ConfirmationTest, ASetClockNeitherShortensNorLengthensTheWindow) {
  ApplyAwaited();
  now_ns_ += 3600'000'000'000;
  engine_->Tick();
  EXPECT_EQ(engine_->Get()->revision, 2u);
  now_ns_ -= 7200'000'000'000;
  Pass(seconds(120));
  ExpectFourAgain(3);
}

TEST_F(ConfirmationTest, CancelGoesBackAtOnce) {
  ApplyAwaited();
  const Outcome outcome = engine_->Cancel({.author = "bob"});
  ASSERT_EQ(outcome.kind, Kind::kApplied) << outcome.status;
  EXPECT_EQ(outcome.applied.restores, 1u);
  ExpectFourAgain(3);
  EXPECT_EQ(Recorded(2).settled_by, "bob");
  Pass(seconds(1000));
  ExpectFourAgain(3);
}

struct Unsettled {
  const char* name;
  uint64_t revision;
  const char* why;
  bool rolled_back;
};
class UnsettledTest : public ConfirmationTest, public ::testing::WithParamInterface<Unsettled> {};

// Revision 1 was confirmed at once, 2 was cancelled, 3 restores 1.
TEST_P(UnsettledTest, IsNamedAndNothingChanges) {
  ApplyAwaited();
  engine_->Cancel({.reason = "wrong pool", .author = "bob"});
  for (const bool confirm : {true, false}) {
    const Settlement settlement{.revision = GetParam().revision, .author = "eve"};
    const Outcome outcome = confirm ? engine_->Confirm(settlement) : engine_->Cancel(settlement);
    EXPECT_THAT(outcome.kind, ::testing::AnyOf(Kind::kStale, Kind::kFailed));
    EXPECT_THAT(std::string(outcome.status.message()), HasSubstr(GetParam().why));
    EXPECT_EQ(outcome.rolled_back, GetParam().rolled_back);
    ExpectFourAgain(3);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Confirmation, UnsettledTest,
    ::testing::Values(Unsettled{"Nothing", 0, "revision 3 does not await", false},
                      Unsettled{"Confirmed", 1, "was confirmed when it was applied", false},
                      Unsettled{"RolledBack", 2, "rolled back by bob: wrong pool", true},
                      Unsettled{"Unknown", 9, "no revision 9", false}),
    [](const auto& param) { return param.param.name; });

TEST_F(ConfirmationTest, AnObjectionEndsTheWindowAtOnce) {
  ApplyAwaited();
  Pass(seconds(1));
  objection_ = "web-1 gets 91 % of new flows, 20 % were meant";
  Pass(seconds(1));
  ExpectFourAgain(3);
  EXPECT_THAT(Recorded(2).settled_why, HasSubstr("91 %"));
}

TEST_F(ConfirmationTest, AnObjectionToWhatIsConfirmedRollsNothingBack) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  objection_ = "skew";
  Pass(seconds(1));
  EXPECT_EQ(engine_->Get()->revision, 2u);
}

TEST_F(ConfirmationTest, AutoConfirmStaysIfNothingSpeaksAgainstIt) {
  ApplyAwaited(/*auto_confirm=*/true);
  Pass(seconds(119));
  EXPECT_TRUE(engine_->Get()->awaits());
  Pass(seconds(1));
  EXPECT_FALSE(engine_->Get()->awaits());
  EXPECT_EQ(engine_->Get()->revision, 2u);
  EXPECT_EQ(Recorded(2).settled_by, "evenkeeld");
}

TEST_F(ConfirmationTest, AutoConfirmRollsBackWhatTheKernelDoesNotHave) {
  ApplyAwaited(/*auto_confirm=*/true);
  kernel_.Force(Build(MakeConfig(7)), 2);
  Pass(seconds(120));
  ExpectFourAgain(3);
}

TEST_F(ConfirmationTest, TheFirstStateHasNothingToGoBackTo) {
  const Outcome outcome = ApplyWithin(MakeConfig(4), seconds(60));
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  EXPECT_EQ(outcome.diagnostics[0].field, "confirm_within");
}

TEST_F(ConfirmationTest, WindowsHaveLimits) {
  MustApply(MakeConfig(4));
  for (const int64_t length : {-1, 1, 9, 86401}) {
    const Outcome outcome = ApplyWithin(MakeConfig(5), seconds(length));
    ASSERT_EQ(outcome.kind, Kind::kInvalid) << length;
    EXPECT_EQ(outcome.diagnostics[0].field, "confirm_within");
  }
  EXPECT_EQ(ApplyWithin(MakeConfig(5), seconds(0), true).diagnostics[0].field, "auto_confirm");
  EXPECT_EQ(ApplyWithin(MakeConfig(5), seconds(10)).kind, Kind::kApplied);
}

TEST_F(ConfirmationTest, AWindowGoesOnAfterARestart) {
  ApplyAwaited();
  now_ns_ += 60'000'000'000;
  Restart();
  EXPECT_TRUE(engine_->Get()->awaits());
  EXPECT_FALSE(report_.wrote);
  Pass(seconds(59));
  EXPECT_EQ(engine_->Get()->revision, 2u);
  Pass(seconds(2));
  ExpectFourAgain(3);
}

TEST_F(ConfirmationTest, AWindowThatEndedWithoutADaemonIsRolledBackAtItsStart) {
  ApplyAwaited(/*auto_confirm=*/true);
  StopDaemon();
  now_ns_ += 121'000'000'000;
  const int writes = kernel_.writes;
  Restart();
  ExpectFourAgain(3);
  EXPECT_EQ(kernel_.writes, writes + 1) << "the bad state is not written once more";
  EXPECT_EQ(report_.revision, 3u);
  EXPECT_THAT(report_.adoption, HasSubstr("revision 2 was not confirmed in time"));
  EXPECT_THAT(Recorded(2).settled_why, HasSubstr("daemon was not running"));
}

TEST_F(ConfirmationTest, AWindowThatEndedDuringARebootNeverPublishesTheBadState) {
  ApplyAwaited();
  StopDaemon();
  now_ns_ += 121'000'000'000;
  kernel_.Force(nullptr, 0);
  const int writes = kernel_.writes;
  Restart();
  ExpectFourAgain(3);
  EXPECT_EQ(kernel_.writes, writes + 1);
}

TEST_F(ConfirmationTest, ARollbackThatFailsIsTriedAgain) {
  ApplyAwaited();
  kernel_.publish_error = absl::ResourceExhaustedError("no memory");
  Pass(seconds(120));
  EXPECT_EQ(engine_->Get()->revision, 2u);
  EXPECT_THAT(Notices(), Contains(HasSubstr("could not be rolled back and is still in force")));
  kernel_.publish_error = absl::OkStatus();
  Pass(seconds(2));
  EXPECT_EQ(InForce(), MakeConfig(4));
  EXPECT_THAT(Notices(), IsEmpty());
  EXPECT_EQ(Recorded(2).standing, history::Standing::kRolledBack);
}

TEST_F(ConfirmationTest, TheEndOfAWindowNeedsNoRecord) {
  ApplyAwaited();
  BreakHistory();
  Pass(seconds(120));
  EXPECT_EQ(InForce(), MakeConfig(4));
  EXPECT_EQ(InKernel(), Build(MakeConfig(4))->digest);
  EXPECT_THAT(Notices(), Contains(HasSubstr("could not be recorded")));
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(5))).kind, Kind::kFailed);
  Sql("DROP TRIGGER gone");
  Pass(seconds(2));
  ExpectFourAgain(3);
  EXPECT_EQ(Recorded(2).standing, history::Standing::kRolledBack);
  EXPECT_THAT(Notices(), IsEmpty());
  MustApply(MakeConfig(5));
}

TEST_F(ConfirmationTest, ARestartBeforeItIsRecordedEndsInTheSameState) {
  ApplyAwaited();
  BreakHistory();
  Pass(seconds(120));
  StopDaemon();
  Sql("DROP TRIGGER gone");
  Restart();
  ExpectFourAgain(3);
  EXPECT_EQ(Recorded(2).standing, history::Standing::kRolledBack);
}

// No server of the earlier state answers: it is tried for as long as it takes, and noted once.
TEST_F(ConfirmationTest, ARefusedEndOfAWindowDoesNotFillTheRecord) {
  ApplyAwaited();
  reach_ = [](const std::vector<model::IpAddress>& addresses) {
    std::map<model::IpAddress, guard::Reach> reach;
    for (const model::IpAddress& a : addresses) reach[a] = {.reachable = false, .problem = "x"};
    return reach;
  };
  Pass(seconds(120));
  for (int i = 0; i < 600; ++i) Pass(seconds(1));
  EXPECT_EQ(engine_->Get()->revision, 2u);
  EXPECT_EQ(engine_->ListRevisions(100)->size(), 3u) << "two revisions and one refusal";
  EXPECT_THAT(Notices(), Contains(HasSubstr("is still in force")));
  reach_ = nullptr;
  Pass(seconds(60));
  ExpectFourAgain(3);
}

TEST_F(ConfirmationTest, GoodIsWhatWasConfirmedAndRanForAWhile) {
  ApplyAwaited();
  engine_->Confirm({.author = "bob"});
  Pass(seconds(599));
  EXPECT_EQ(engine_->GetStatus()->last_good, 0u);
  Pass(seconds(1));
  EXPECT_EQ(engine_->GetStatus()->last_good, 2u);
  EXPECT_GT(Recorded(2).good_unix_ns, 0);
  MustApply(MakeConfig(6));
  MustApply(MakeConfig(7));
  EXPECT_EQ(engine_->GetStatus()->last_good, 2u);
  Rollback back = Back();
  back.last_good = true;
  EXPECT_EQ(engine_->RollBack(back).applied.restores, 2u);
  Restart();
  EXPECT_EQ(engine_->GetStatus()->last_good, 2u);
}

TEST_F(ConfirmationTest, TheFirstFileIsNotGoodAtOnceEither) {
  StartDaemon();
  const Bootstrap bootstrap{.config = MakeConfig(4), .path = "f.yaml"};
  MustStart(&bootstrap);
  engine_->Tick();
  EXPECT_EQ(engine_->GetStatus()->last_good, 0u);
  Pass(seconds(600));
  EXPECT_EQ(engine_->GetStatus()->last_good, 1u);
  StartDaemon();
  MustStart();
  MustApply(MakeConfig(5));
  engine_->Tick();
  EXPECT_EQ(engine_->GetStatus()->last_good, 1u);
}

TEST_F(ConfirmationTest, AnObjectionOrAForeignTableKeepsItFromBeingGood) {
  MustApply(MakeConfig(4));
  objection_ = "skew";
  Pass(seconds(600));
  EXPECT_EQ(engine_->GetStatus()->last_good, 0u);
  objection_.clear();
  Pass(seconds(599));
  EXPECT_EQ(engine_->GetStatus()->last_good, 0u) << "the time begins anew";
  kernel_.Force(Build(MakeConfig(7)), 1);
  Pass(seconds(1));
  EXPECT_EQ(engine_->GetStatus()->last_good, 0u);
}

TEST_F(ConfirmationTest, AnAwaitedRevisionIsNotGood) {
  ApplyAwaited();
  Pass(seconds(100));
  EXPECT_EQ(engine_->GetStatus()->last_good, 0u);
}

}  // namespace
}  // namespace evenkeel::engine
