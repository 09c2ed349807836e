// SPDX-License-Identifier: Apache-2.0
//
// Ways back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/confirmation_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Outcome::Kind;
using std::chrono::seconds;

using RollbackTest = ConfirmationFixture;

TEST_F(RollbackTest, RollbackLeadsToTheConfirmedOneBefore) {
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

TEST_F(RollbackTest, HeldFlowsAreLetGoOnlyWhereThatIsAsked) {
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

TEST_F(RollbackTest, TwoRollbacksLeadTwoBack) {
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
TEST_F(RollbackTest, WhatWasUndoneOnceIsNotOnTheWayBack) {
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

TEST_F(RollbackTest, WhatWasGoneBackFromIsNotGoodAnyMore) {
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

TEST_F(RollbackTest, TwoPeopleWhoRollTheSameBackGoBackOnce) {
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

TEST_F(RollbackTest, ARollbackEndsAWindow) {
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
class BadTargetTest : public RollbackTest, public ::testing::WithParamInterface<BadTarget> {};

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

TEST_F(RollbackTest, ARollbackNeedsAReason) {
  MustApply(MakeConfig(4));
  Rollback back = Back();
  back.reason.clear();
  EXPECT_EQ(engine_->RollBack(back).diagnostics[0].field, "reason");
  back.reason = "x";
  back.target = 1;
  back.last_good = true;
  EXPECT_EQ(engine_->RollBack(back).diagnostics[0].field, "revision");
}

TEST_F(RollbackTest, RollingBackToWhatRunsIsNoChange) {
  MustApply(MakeConfig(4));
  Rollback back = Back();
  back.target = 1;
  EXPECT_EQ(engine_->RollBack(back).kind, Kind::kNoChange);
}

// What an update may not take away at once (LB005, LB006), a rollback may.
TEST_F(RollbackTest, DeltaRulesDoNotHoldUpARollback) {
  MustApply(MakeConfig(4));
  for (int backends = 5; backends <= 8; ++backends) MustApply(MakeConfig(backends));
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(4))).kind, Kind::kRefused);
  Rollback back = Back();
  back.target = 1;
  EXPECT_EQ(engine_->RollBack(back).kind, Kind::kApplied);
  EXPECT_EQ(InForce(), MakeConfig(4));
}

// Undo without a record would be undone itself by the next restart.
TEST_F(RollbackTest, ARollbackThatCannotBeRecordedIsNotDone) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  BreakHistory();
  const Outcome outcome = engine_->RollBack(Back());
  EXPECT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("disk gone"));
  EXPECT_EQ(InForce(), MakeConfig(5));
}

}  // namespace
}  // namespace evenkeel::engine
