// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a change once it is applied: windows, confirm, cancel, rollback.
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Kind = engine::Outcome::Kind;

class SettleTest : public CliTest {
 protected:
  SettleTest() {
    // The clock goes on while a command sleeps; what `when_slept` says happens meanwhile.
    env_.now_unix_ns = [this] { return now_ns_; };
    env_.sleep = [this](std::chrono::milliseconds time) {
      now_ns_ += std::chrono::nanoseconds(time).count();
      return !when_slept || when_slept();
    };
  }
  Ran ApplyFive(std::vector<std::string> more) {
    more.insert(more.begin(), {"apply", "-f", WriteConfig("five.yaml", WebConfig(5)), "--reason",
                               "grow", "--yes"});
    return Run(more);
  }
  // 12:02:00, when revision 2 is applied.
  int64_t now_ns_ = 1'772'366'520'000'000'000;
  std::function<bool()> when_slept;
};

TEST_F(SettleTest, AWindowIsAskedForAndExplained) {
  const Ran ran = ApplyFive({"--confirm-within", "2m", "--ticket", "OPS-7"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("Awaits its confirmation until 2026-03-01 12:04:00 UTC "
                                       "(120 s left), then it is rolled back"),
                             HasSubstr("evenkeel confirm 2"), HasSubstr("evenkeel cancel 2")));
  const engine::Request& request = daemon_.applied_requests[0];
  EXPECT_EQ(request.window.length, std::chrono::seconds(120));
  EXPECT_FALSE(request.window.auto_confirm);
  EXPECT_EQ(request.ticket, "OPS-7");
}

TEST_F(SettleTest, JsonSaysHowItStands) {
  const nlohmann::json json = ApplyFive({"--confirm-within", "90s", "-o", "json"}).Json();
  EXPECT_EQ(json["standing"], "awaiting");
  EXPECT_EQ(json["confirm_by"], "2026-03-01T12:03:30.000Z");
  EXPECT_EQ(json["auto_confirm"], false);
}

struct BadWindow {
  const char* name;
  const char* value;
  const char* says;
};
class BadWindowTest : public SettleTest, public testing::WithParamInterface<BadWindow> {};

TEST_P(BadWindowTest, IsAUsageErrorAndNothingIsSent) {
  const Ran ran = ApplyFive({"--confirm-within", GetParam().value});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Settle, BadWindowTest,
                         testing::Values(BadWindow{"NoUnit", "120", "write 90s, 2m or 1h"},
                                         BadWindow{"Words", "soon", "write 90s, 2m or 1h"},
                                         BadWindow{"Short", "9s", "is not from 10s to 24h"},
                                         BadWindow{"Long", "25h", "is not from 10s to 24h"},
                                         BadWindow{"Below0", "-1m", "is not from 10s to 24h"},
                                         BadWindow{"Endless", "inf", "is not from 10s to 24h"}),
                         [](const auto& param) { return param.param.name; });

struct Ending {
  const char* name;
  history::Standing standing;
  int code;
  const char* says;
};
class EndingTest : public SettleTest, public testing::WithParamInterface<Ending> {};

TEST_P(EndingTest, AutoConfirmWaitsForIt) {
  int sleeps = 0;
  when_slept = [&] {
    if (++sleeps == 4) daemon_.Settle(GetParam().standing, "evenkeeld", "because");
    return true;
  };
  const Ran ran = ApplyFive({"--auto-confirm"});
  EXPECT_EQ(ran.code, GetParam().code);
  EXPECT_EQ(sleeps, 4);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_EQ(daemon_.applied_requests[0].window.length, std::chrono::seconds(60));
  EXPECT_TRUE(daemon_.applied_requests[0].window.auto_confirm);
}

INSTANTIATE_TEST_SUITE_P(Settle, EndingTest,
                         testing::Values(Ending{"Confirmed", history::Standing::kConfirmed, 0,
                                                "Revision 2 confirmed by evenkeeld: because"},
                                         Ending{"RolledBack", history::Standing::kRolledBack, 6,
                                                "Revision 2 rolled back by evenkeeld: because"}),
                         [](const auto& param) { return param.param.name; });

// An emergency drain came in between: what counts is what becomes of that one.
TEST_F(SettleTest, WaitingGoesOnWithWhatCarriesTheRevisionOn) {
  int sleeps = 0;
  when_slept = [&] {
    ++sleeps;
    if (sleeps == 2) daemon_.CarryOn("bob", "web-2 burns");
    if (sleeps == 4) daemon_.Settle(history::Standing::kRolledBack, "evenkeeld", "because");
    return true;
  };
  const Ran ran = ApplyFive({"--auto-confirm"});
  EXPECT_EQ(sleeps, 4);
  EXPECT_EQ(ran.code, 6);
  EXPECT_THAT(ran.err, HasSubstr("Revision 2 is carried on by revision 3 by bob: web-2 burns"));
  EXPECT_THAT(ran.err, HasSubstr("Revision 3 rolled back by evenkeeld: because"));
  const Ran history = Run({"history"});
  EXPECT_THAT(history.out, HasSubstr("carried on by revision 3"));
}

TEST_F(SettleTest, WaitingCanBeLeftToTheDaemon) {
  EXPECT_EQ(ApplyFive({"--auto-confirm", "--no-wait"}).code, 0);
}

TEST_F(SettleTest, InterruptedWaitingSaysThatItStillAwaits) {
  when_slept = [] { return false; };
  const Ran ran = ApplyFive({"--confirm-within", "60s", "--wait"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("still awaits its confirmation"));
}

TEST_F(SettleTest, WaitingOutlivesARestartAndEndsSomeTime) {
  daemon_.down = absl::OkStatus();
  int sleeps = 0;
  when_slept = [&] {
    daemon_.down = absl::UnavailableError("no daemon");
    ++sleeps;
    return true;
  };
  const Ran ran = ApplyFive({"--confirm-within", "60s", "--wait"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("no daemon"));
  EXPECT_EQ(sleeps, 241) << "the window, and a minute";
}

TEST_F(SettleTest, ConfirmNamesWhatStays) {
  ApplyFive({"--confirm-within", "60s"});
  const Ran ran = Run({"confirm", "2", "--reason", "flat"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("Revision 2 confirmed; it stays"));
  EXPECT_EQ(daemon_.settlements[0].revision, 2u);
  EXPECT_EQ(daemon_.settlements[0].reason, "flat");
  EXPECT_EQ(Run({"confirm", "-o", "json"}).Json()["outcome"], "confirmed");
}

class NotDoneTest : public SettleTest, public testing::WithParamInterface<bool> {};

TEST_P(NotDoneTest, WhatDoesNotAwaitIsAConflict) {
  engine::Outcome outcome;
  outcome.kind = Kind::kStale;
  outcome.status = absl::AbortedError("revision 2 does not await a confirmation: it is so");
  outcome.rolled_back = GetParam();
  daemon_.settle_outcome = outcome;
  for (const char* command : {"confirm", "cancel"}) {
    const Ran ran = Run({command});
    EXPECT_EQ(ran.code, GetParam() ? 6 : 5) << command;
    EXPECT_THAT(ran.err, HasSubstr("does not await a confirmation"));
    const Ran json = Run({command, "-o", "json"});
    EXPECT_EQ(json.code, ran.code);
    EXPECT_EQ(json.Json()["outcome"], GetParam() ? "rolled_back" : "stale");
  }
}

INSTANTIATE_TEST_SUITE_P(Settle, NotDoneTest, testing::Bool());

TEST_F(SettleTest, CancelAndRollbackShowWhatIsBack) {
  ApplyFive({"--confirm-within", "60s"});
  const Ran cancelled = Run({"cancel"});
  EXPECT_EQ(cancelled.code, 0);
  EXPECT_THAT(cancelled.out,
              AllOf(HasSubstr("Rolled back: the state of revision 1 is in force again as revision "
                              "3"),
                    HasSubstr("web-5")));
}

TEST_F(SettleTest, RollbackAsksNothingAndDemandsNothing) {
  ApplyFive({});
  env_.in_is_terminal = true;
  const Ran ran = Run({"rollback"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("Rolled back"));
  ASSERT_EQ(daemon_.rollbacks.size(), 1u);
  EXPECT_EQ(daemon_.rollbacks[0].target, 0u);
  EXPECT_EQ(daemon_.rollbacks[0].from, 2u) << "what it was decided upon";
  EXPECT_THAT(daemon_.rollbacks[0].reason, HasSubstr("rolled back from revision 2"));
}

TEST_F(SettleTest, RollbackPassesOnWhatItIsGiven) {
  ApplyFive({});
  const Ran ran = Run(
      {"rollback", "1", "--purge-pinned", "-r", "b1 gets all", "--ticket", "INC-1", "-o", "json"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.Json()["restores"], 1);
  EXPECT_EQ(ran.Json()["revision"], 3);
  const engine::Rollback& sent = daemon_.rollbacks[0];
  EXPECT_EQ(sent.target, 1u);
  EXPECT_TRUE(sent.purge_pinned);
  EXPECT_EQ(sent.reason, "b1 gets all");
  EXPECT_EQ(sent.ticket, "INC-1");
}

TEST_F(SettleTest, RollbackToTheLastGoodOneTakesNoRevision) {
  EXPECT_EQ(Run({"rollback", "1", "--last-good"}).code, 1);
  EXPECT_EQ(Run({"rollback", "0"}).code, 1);
  EXPECT_THAT(daemon_.rollbacks, IsEmpty());
  ApplyFive({});
  EXPECT_EQ(Run({"rollback", "--last-good"}).code, 0);
  EXPECT_TRUE(daemon_.rollbacks[0].last_good);
}

TEST_F(SettleTest, ARefusedRollbackIsRefused) {
  engine::Outcome outcome;
  outcome.kind = Kind::kRefused;
  guard::Violation violation;
  violation.rule = "LB010";
  violation.name = "reachability";
  violation.subject = "pools/web";
  violation.observed = "none of 4 can be reached";
  outcome.verdict.severity = guard::Severity::kBlock;
  outcome.verdict.violations.push_back(violation);
  daemon_.settle_outcome = outcome;
  const Ran ran = Run({"rollback"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("LB010"), HasSubstr("nothing changed")));
}

TEST_F(SettleTest, HistoryTellsHowEachEnded) {
  ApplyFive({"--confirm-within", "60s", "--ticket", "OPS-7"});
  EXPECT_THAT(Run({"history"}).out, HasSubstr("awaits its confirmation until"));
  Run({"cancel", "--reason", "too early"});
  const Ran ran = Run({"history"});
  EXPECT_THAT(ran.out, AllOf(HasSubstr("brings back revision 1"), HasSubstr("rolled back"),
                             HasSubstr("too early")));
}

TEST_F(SettleTest, ExportIsOneObjectALine) {
  for (int i = 0; i < 3; ++i) daemon_.Force(WebConfig(4 + i), "alice", "more");
  const Ran ran = Run({"history", "--export"});
  EXPECT_EQ(ran.code, 0);
  std::istringstream lines(ran.out);
  std::string line;
  int revision = 4;
  while (std::getline(lines, line)) {
    EXPECT_EQ(nlohmann::json::parse(line)["revision"], revision--);
  }
  EXPECT_EQ(revision, 0);
}

TEST_F(SettleTest, AnOverrideNamesItsRulesAndItsEnd) {
  EXPECT_EQ(ApplyFive({"--override", "LB005,LB006", "--expires", "1h", "--allow-live"}).code, 0);
  const engine::Consent& sent = daemon_.applied_requests[0].consent;
  EXPECT_THAT(sent.overrides, testing::ElementsAre("LB005", "LB006"));
  EXPECT_EQ(sent.expires, std::chrono::hours(1));
  EXPECT_TRUE(sent.allow_live);
}

TEST_F(SettleTest, AnOverrideEnds) {
  EXPECT_THAT(ApplyFive({"--override", "LB005"}).err, HasSubstr("needs --expires"));
  EXPECT_THAT(ApplyFive({"--expires", "1h"}).err, HasSubstr("name the rules with --override"));
  EXPECT_THAT(ApplyFive({"--override", "LB005", "--expires", "169h"}).err,
              HasSubstr("not from 1m to 168h"));
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

TEST_F(SettleTest, StatusShowsOverrides) {
  daemon_.status.applied.revision = 2;
  daemon_.status.overrides = {{.revision = 2,
                               .rule = "LB005",
                               .reason = "move to the new racks",
                               .author = "alice",
                               .expires_unix_ns = now_ns_ + 60'000'000'000}};
  EXPECT_THAT(Run({"status"}).out,
              AllOf(HasSubstr("LB005 until"), HasSubstr("move to the new racks")));
  EXPECT_EQ(Run({"status", "-o", "json"}).Json()["overrides"][0]["rule"], "LB005");
}

TEST_F(SettleTest, StatusShowsTheWindow) {
  daemon_.status.applied.revision = 2;
  daemon_.status.applied.standing = history::Standing::kAwaiting;
  daemon_.status.applied.deadline_unix_ns = now_ns_ + 85'000'000'000;
  daemon_.status.last_good = 1;
  const Ran ran = Run({"status"});
  EXPECT_THAT(ran.out, AllOf(HasSubstr("(85 s left)"), HasSubstr("evenkeel confirm 2"),
                             HasSubstr("Last good")));
  const nlohmann::json json = Run({"status", "-o", "json"}).Json();
  EXPECT_EQ(json["last_good"], 1);
  EXPECT_EQ(json["applied"]["standing"], "awaiting");
}

}  // namespace
}  // namespace evenkeel::cli
