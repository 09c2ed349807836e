// SPDX-License-Identifier: Apache-2.0
//
// Windows in which a change must be confirmed, and ways back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = Outcome::Kind;
using std::chrono::seconds;

class ConfirmationTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    Watch();
  }
  void Watch() {
    engine_->Subscribe([this](const Event& event) { events_.push_back(event.kind); });
  }
  void Restart() {
    StartDaemon();
    report_ = MustStart();
    Watch();
  }
  Outcome ApplyWithin(const model::Config& config, seconds window, bool auto_confirm = false) {
    Request request = MakeRequest(config);
    request.window = {.length = window, .auto_confirm = auto_confirm};
    return engine_->Apply(request);
  }
  // Revision 1 of four servers, and revision 2 of five that awaits for 120 s.
  void ApplyAwaited(bool auto_confirm = false) {
    MustApply(MakeConfig(4));
    const Outcome outcome = ApplyWithin(MakeConfig(5), seconds(120), auto_confirm);
    ASSERT_EQ(outcome.kind, Kind::kApplied) << outcome.status;
    ASSERT_TRUE(outcome.applied.awaits());
  }
  Rollback Back() const { return {.reason = "undo", .author = "bob"}; }
  model::Config InForce() { return engine_->Get()->config; }
  guard::Digest InKernel() { return kernel_.ReadKernelState()->digest; }
  history::Revision Recorded(uint64_t number) { return *engine_->GetRevision(number); }
  std::vector<std::string> Notices() { return engine_->GetStatus()->notices; }
  // Four servers again, in the kernel as in the record.
  void ExpectFourAgain(uint64_t revision) {
    EXPECT_EQ(InForce(), MakeConfig(4));
    EXPECT_EQ(InKernel(), Build(MakeConfig(4))->digest);
    EXPECT_EQ(engine_->Get()->revision, revision);
  }
  void BreakHistory() {
    Sql("CREATE TRIGGER gone BEFORE INSERT ON revisions BEGIN SELECT RAISE(ABORT, 'disk gone'); "
        "END");
  }

  std::vector<Event::Kind> events_;
  StartReport report_;
};

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

TEST_F(ConfirmationTest, RollbackLeadsToTheConfirmedOneBefore) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  const Outcome outcome = engine_->RollBack(Back());
  ASSERT_EQ(outcome.kind, Kind::kApplied) << outcome.status;
  EXPECT_EQ(outcome.applied.restores, 1u);
  ExpectFourAgain(3);
  EXPECT_EQ(Recorded(3).source, "rollback");
  EXPECT_EQ(Recorded(3).base, 2u);
  EXPECT_EQ(Recorded(3).author, "bob");
}

TEST_F(ConfirmationTest, HeldFlowsAreLetGoOnlyWhereThatIsAsked) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  engine_->RollBack(Back());
  EXPECT_THAT(kernel_.let_go, IsEmpty());
  MustApply(MakeConfig(5));
  Rollback back = Back();
  back.purge_pinned = true;
  ASSERT_EQ(engine_->RollBack(back).kind, Kind::kApplied);
  EXPECT_THAT(kernel_.let_go, ElementsAre("web"));
}

TEST_F(ConfirmationTest, TwoRollbacksLeadTwoBack) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  MustApply(MakeConfig(6));
  engine_->RollBack(Back());
  EXPECT_EQ(InForce(), MakeConfig(5));
  engine_->RollBack(Back());
  ExpectFourAgain(5);
  const Outcome outcome = engine_->RollBack(Back());
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("no confirmed revision before"));
}

// 1, 2 (which was bad), 3 brings 1 back, 4: from there the way back leads to 1 and not to 2.
TEST_F(ConfirmationTest, WhatWasUndoneOnceIsNotOnTheWayBack) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  engine_->RollBack(Back());
  MustApply(MakeConfig(5, "web"));
  EXPECT_EQ(engine_->RollBack(Back()).applied.restores, 1u);
  ExpectFourAgain(5);
  const Outcome outcome = engine_->RollBack(Back());
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  ExpectFourAgain(5);
}

TEST_F(ConfirmationTest, WhatWasGoneBackFromIsNotGoodAnyMore) {
  MustApply(MakeConfig(4));
  Pass(seconds(600));
  MustApply(MakeConfig(5));
  Pass(seconds(600));
  ASSERT_EQ(engine_->GetStatus()->last_good, 2u);
  engine_->RollBack(Back());
  EXPECT_EQ(engine_->GetStatus()->last_good, 1u);
  EXPECT_EQ(Recorded(2).good_unix_ns, 0);
  Restart();
  EXPECT_EQ(engine_->GetStatus()->last_good, 1u);
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

TEST_F(ConfirmationTest, TwoPeopleWhoRollTheSameBackGoBackOnce) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  MustApply(MakeConfig(6));
  Rollback back = Back();
  back.from = 3;
  ASSERT_EQ(engine_->RollBack(back).kind, Kind::kApplied);
  const Outcome second = engine_->RollBack(back);
  EXPECT_EQ(second.kind, Kind::kStale);
  EXPECT_THAT(std::string(second.status.message()), HasSubstr("revision 4 by bob is"));
  EXPECT_EQ(InForce(), MakeConfig(5));
}

TEST_F(ConfirmationTest, ARollbackEndsAWindow) {
  MustApply(MakeConfig(3));
  ApplyAwaited();
  Rollback back = Back();
  back.target = 1;
  ASSERT_EQ(engine_->RollBack(back).kind, Kind::kApplied);
  EXPECT_EQ(InForce(), MakeConfig(3));
  EXPECT_EQ(Recorded(3).standing, history::Standing::kRolledBack);
  Pass(seconds(1000));
  EXPECT_EQ(engine_->Get()->revision, 4u);
}

struct BadTarget {
  const char* name;
  uint64_t target;
  bool last_good;
  const char* why;
};
class BadTargetTest : public ConfirmationTest, public ::testing::WithParamInterface<BadTarget> {};

// Revision 1 is in force after 2 was cancelled and 3 restored it; 4 failed.
TEST_P(BadTargetTest, IsNamedAndNothingChanges) {
  ApplyAwaited();
  engine_->Cancel({.author = "bob"});
  kernel_.publish_error = absl::ResourceExhaustedError("no memory");
  ASSERT_EQ(engine_->Apply(MakeRequest(MakeConfig(5))).kind, Kind::kFailed);
  kernel_.publish_error = absl::OkStatus();
  Rollback back = Back();
  back.target = GetParam().target;
  back.last_good = GetParam().last_good;
  const Outcome outcome = engine_->RollBack(back);
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr(GetParam().why));
  ExpectFourAgain(3);
}

INSTANTIATE_TEST_SUITE_P(
    Confirmation, BadTargetTest,
    ::testing::Values(BadTarget{"Unknown", 99, false, "no revision 99"},
                      BadTarget{"RolledBack", 2, false, "was rolled back by bob"},
                      BadTarget{"NeverInForce", 4, false, "was never in force: no memory"},
                      BadTarget{"NoneIsGood", 0, true, "no revision is known as good yet"}),
    [](const auto& param) { return param.param.name; });

TEST_F(ConfirmationTest, ARollbackNeedsAReason) {
  MustApply(MakeConfig(4));
  Rollback back = Back();
  back.reason.clear();
  EXPECT_EQ(engine_->RollBack(back).diagnostics[0].field, "reason");
  back.reason = "x";
  back.target = 1;
  back.last_good = true;
  EXPECT_EQ(engine_->RollBack(back).diagnostics[0].field, "revision");
}

TEST_F(ConfirmationTest, RollingBackToWhatRunsIsNoChange) {
  MustApply(MakeConfig(4));
  Rollback back = Back();
  back.target = 1;
  EXPECT_EQ(engine_->RollBack(back).kind, Kind::kNoChange);
}

// What an update may not take away at once (LB005, LB006), a rollback may.
TEST_F(ConfirmationTest, DeltaRulesDoNotHoldUpARollback) {
  MustApply(MakeConfig(4));
  for (int backends = 5; backends <= 8; ++backends) MustApply(MakeConfig(backends));
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(4))).kind, Kind::kRefused);
  Rollback back = Back();
  back.target = 1;
  EXPECT_EQ(engine_->RollBack(back).kind, Kind::kApplied);
  EXPECT_EQ(InForce(), MakeConfig(4));
}

// Undo without a record would be undone itself by the next restart.
TEST_F(ConfirmationTest, ARollbackThatCannotBeRecordedIsNotDone) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  BreakHistory();
  const Outcome outcome = engine_->RollBack(Back());
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("disk gone"));
  EXPECT_EQ(InForce(), MakeConfig(5));
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
