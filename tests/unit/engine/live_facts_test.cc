// SPDX-License-Identifier: Apache-2.0
//
// What the daemon tells the rules: time, pace, traffic, and what a request says about itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = Outcome::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

class LiveFactsTest : public EngineFixture {
 protected:
  void SetUp() override {
    pace_ = {};
    EngineFixture::SetUp();
    MustStart();
  }
  static std::set<std::string> RefusingRules(const Outcome& outcome) {
    std::set<std::string> rules;
    for (const guard::Violation& violation : outcome.verdict.violations) {
      if (violation.severity == guard::Severity::kBlock) rules.insert(violation.rule);
    }
    return rules;
  }
  void Count(uint64_t packets) {
    kernel_.counters.vips = {{.vip = "web", .counter = {.packets = packets}}};
  }
};

TEST_F(LiveFactsTest, APoolChangesAtMostEveryHalfMinute) {
  MustApply(MakeConfig(4));
  const Outcome soon = engine_->Apply(MakeRequest(MakeConfig(5)));
  EXPECT_EQ(soon.kind, Kind::kRefused);
  EXPECT_THAT(RefusingRules(soon), ::testing::ElementsAre("LB014"));
  Pass(seconds(30));
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(5))).kind, Kind::kApplied);
}

TEST_F(LiveFactsTest, WhatIsAwaitedHoldsUpOtherChanges) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  Request request = MakeRequest(MakeConfig(5));
  request.window.length = seconds(600);
  ASSERT_EQ(engine_->Apply(request).kind, Kind::kApplied);
  Pass(seconds(60));
  const Outcome other = engine_->Apply(MakeRequest(MakeConfig(6)));
  ASSERT_THAT(RefusingRules(other), ::testing::ElementsAre("LB014"));
  EXPECT_THAT(other.verdict.violations[0].fix, HasSubstr("evenkeel confirm"));
  engine_->Confirm({.author = "bob"});
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(6))).kind, Kind::kApplied);
}

// It must not wait for the window, and must not end it either: its state has in it what nobody
// confirmed.
TEST_F(LiveFactsTest, AnEmergencyDrainCarriesTheWindowOn) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  Request request = MakeRequest(MakeConfig(5));
  request.window.length = seconds(120);
  ASSERT_EQ(engine_->Apply(request).kind, Kind::kApplied);
  Pass(seconds(100));
  Request drain;
  drain.change.edit = Edit{.pool = "", .backend = "web-2", .state = model::AdminState::kDraining};
  drain.reason = "web-2 burns";
  drain.author = "bob";
  const Outcome drained = engine_->Apply(drain);
  ASSERT_EQ(drained.kind, Kind::kApplied);
  EXPECT_TRUE(drained.applied.awaits());
  const history::Revision carried = *engine_->GetRevision(2);
  EXPECT_EQ(carried.standing, history::Standing::kCarriedOn);
  EXPECT_EQ(carried.carried_on_by, 3u);
  EXPECT_EQ(carried.settled_why, "web-2 burns");
  const Outcome late = engine_->Confirm({.revision = 2, .reason = "", .author = "alice"});
  ASSERT_EQ(late.kind, Kind::kStale);
  EXPECT_THAT(late.status.message(), HasSubstr("is carried on by revision 3"));
  EXPECT_FALSE(late.rolled_back);
  Pass(seconds(19));
  EXPECT_EQ(engine_->Get()->revision, 3u);
  Pass(seconds(2));
  EXPECT_EQ(engine_->Get()->restores, 1u);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
}

// LB010: others that enter can be reached, so web-6 waits for its weight.
TEST_F(LiveFactsTest, WhoCannotBeReachedEntersWithWeight0) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  bool up = false;
  reach_ = [&up](const std::vector<model::IpAddress>& addresses) {
    std::map<model::IpAddress, guard::Reach> reach;
    for (const model::IpAddress& address : addresses) reach[address] = {};
    reach[*model::IpAddress::Parse("10.0.1.6")] = {.reachable = up, .problem = "no route"};
    return reach;
  };
  const Outcome entered = engine_->Apply(MakeRequest(MakeConfig(6)));
  ASSERT_EQ(entered.kind, Kind::kApplied) << entered.status;
  model::Config waiting = MakeConfig(6);
  waiting.pools[0].backends[5].weight = 0;
  EXPECT_EQ(engine_->Get()->config, waiting);
  EXPECT_EQ(kernel_.ReadKernelState()->digest, Build(waiting)->digest);
  ASSERT_EQ(entered.verdict.violations.size(), 1u);
  const guard::Violation& violation = entered.verdict.violations[0];
  EXPECT_EQ(entered.verdict.severity, guard::Severity::kWarn);
  EXPECT_EQ(violation.rule, "LB010");
  EXPECT_EQ(violation.subject, "pools/web/backends/web-6");
  EXPECT_EQ(violation.field, "pools[0].backends[5].weight");
  EXPECT_THAT(violation.message, HasSubstr("web-6 enters with weight 0 and not 100: "));
  EXPECT_THAT(violation.message, HasSubstr("no route"));
  EXPECT_EQ(violation.fix, "once it answers: evenkeel weight web-6 100 --pool web");
  // The same file again, while it does not answer and when it does.
  Pass(seconds(30));
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(6))).kind, Kind::kNoChange);
  up = true;
  ASSERT_EQ(engine_->Apply(MakeRequest(MakeConfig(6))).kind, Kind::kApplied);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(6));
}

TEST_F(LiveFactsTest, AnOverrideLetsEnterWhoCannotBeReached) {
  MustApply(MakeConfig(8));
  Pass(seconds(30));
  reach_ = [](const std::vector<model::IpAddress>& addresses) {
    std::map<model::IpAddress, guard::Reach> reach;
    for (const model::IpAddress& address : addresses) reach[address] = {};
    reach[*model::IpAddress::Parse("10.0.1.10")] = {.reachable = false, .problem = "no route"};
    return reach;
  };
  Request request = MakeRequest(MakeConfig(10));
  request.consent = {.overrides = {"LB010"}, .expires = seconds(60)};
  ASSERT_EQ(engine_->Apply(request).kind, Kind::kApplied);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(10));
}

TEST_F(LiveFactsTest, NoPaceHoldsUpARollback) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  MustApply(MakeConfig(5));
  EXPECT_EQ(engine_->RollBack({.reason = "undo", .author = "bob"}).kind, Kind::kApplied);
}

// Two pools, of which the second's VIP goes.
TEST_F(LiveFactsTest, WhatCarriedTrafficJustNowGoesOnlyIfThatIsSaid) {
  model::Config both = MakeConfig(4);
  for (int i = 0; i < 8; ++i) {
    model::Vip vip = both.vips[0];
    vip.name = absl::StrCat("web-", i);
    vip.port = static_cast<uint16_t>(8000 + i);
    both.vips.push_back(vip);
  }
  Count(5);
  MustApply(both);
  Pass(seconds(30));
  model::Config without = both;
  without.vips.erase(without.vips.begin());
  const Outcome refused = engine_->Apply(MakeRequest(without));
  EXPECT_THAT(RefusingRules(refused), ::testing::ElementsAre("LB015"));
  Request request = MakeRequest(without);
  request.consent.allow_live = true;
  EXPECT_EQ(engine_->Plan(request).kind, Kind::kValidated);
  // Nothing came for five minutes.
  Pass(minutes(5));
  EXPECT_EQ(engine_->Apply(MakeRequest(without)).kind, Kind::kApplied);
}

// A change asks for what it changes; a rollback must know of every VIP that somebody answers.
TEST_F(LiveFactsTest, ARollbackAsksForEveryPool) {
  model::Config two = MakeConfig(4);
  model::Config api = MakeConfig(4, "api");
  for (model::Backend& backend : api.pools[0].backends) {
    backend.address = *model::IpAddress::Parse("10.0.2." + backend.name.substr(4));
  }
  api.vips[0].port = 8443;
  two.pools.push_back(api.pools[0]);
  two.vips.push_back(api.vips[0]);
  MustApply(two);
  size_t asked = 0;
  reach_ = [&asked](const std::vector<model::IpAddress>& addresses) {
    asked = addresses.size();
    std::map<model::IpAddress, guard::Reach> reach;
    for (const model::IpAddress& address : addresses) reach[address] = {};
    return reach;
  };
  Pass(seconds(30));
  two.pools[0].backends[0].weight = 90;
  MustApply(two);
  EXPECT_EQ(asked, 4u);
  ASSERT_EQ(engine_->RollBack({.reason = "undo", .author = "bob"}).kind, Kind::kApplied);
  EXPECT_EQ(asked, 8u);
}

TEST_F(LiveFactsTest, AnUnreadableHistoryRefusesWhatItIsNeededFor) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  Sql("ALTER TABLE pool_changes RENAME TO gone");
  const Outcome outcome = engine_->Apply(MakeRequest(MakeConfig(5)));
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_THAT(RefusingRules(outcome), Contains("LB014"));
}

TEST_F(LiveFactsTest, AnOverrideIsNamedRecordedAndShownUntilItEnds) {
  pace_ = {.gap_ns = 0, .per_hour = 1'000'000};
  StartDaemon();
  MustStart();
  MustApply(MakeConfig(8));
  Request request = MakeRequest(MakeConfig(4));
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kRefused);
  request.consent.overrides = {"LB005"};
  request.consent.expires = std::chrono::hours(1);
  EXPECT_THAT(RefusingRules(engine_->Apply(request)), ::testing::ElementsAre("LB006"));
  request.consent.overrides = {"LB005", "LB006"};
  const Outcome outcome = engine_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kApplied);
  EXPECT_EQ(outcome.verdict.severity, guard::Severity::kWarn);
  auto shown = engine_->GetStatus()->overrides;
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0].rule, "LB005");
  EXPECT_EQ(shown[0].author, "uid 1000 (alice)");
  EXPECT_EQ(shown[0].reason, "a test");
  EXPECT_EQ(shown[0].revision, 2u);
  StartDaemon();
  MustStart();
  EXPECT_EQ(engine_->GetStatus()->overrides.size(), 2u);
  Pass(std::chrono::hours(1));
  EXPECT_TRUE(engine_->GetStatus()->overrides.empty());
}

TEST_F(LiveFactsTest, AnOverrideEnds) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  Request request = MakeRequest(MakeConfig(5));
  request.consent.overrides = {"LB005"};
  for (const int64_t s : {int64_t{0}, int64_t{59}, int64_t{7} * 86400 + 1}) {
    request.consent.expires = seconds(s);
    ASSERT_EQ(engine_->Apply(request).kind, Kind::kInvalid) << s;
    EXPECT_EQ(engine_->Apply(request).diagnostics[0].field, "override_expires");
  }
}

TEST_F(LiveFactsTest, WhatHasNoOverrideIsNamed) {
  MustApply(MakeConfig(4));
  Pass(seconds(30));
  for (const char* rule : {"LB002", "LB008", "LB009", "LB099"}) {
    Request request = MakeRequest(MakeConfig(5));
    request.consent.overrides = {rule};
    request.consent.expires = seconds(60);
    const Outcome outcome = engine_->Apply(request);
    EXPECT_EQ(outcome.kind, Kind::kRefused) << rule;
    EXPECT_THAT(outcome.verdict.violations[0].observed, HasSubstr(rule));
  }
}

class TrafficMonitorTest : public ::testing::Test {
 protected:
  void Note(uint64_t packets, seconds at) {
    publish::CounterReport report;
    report.vips = {{.vip = "web", .counter = {.packets = packets}}};
    monitor_.Note(report, std::chrono::nanoseconds(at).count(),
                  1'000 + std::chrono::nanoseconds(at).count());
  }
  guard::Traffic::Vip At(seconds at) {
    return monitor_.Report(fleet_, std::chrono::nanoseconds(at).count()).vips.at("web");
  }
  TrafficMonitorTest() { fleet_.vips = MakeConfig(2).vips; }
  guard::BuiltFleet fleet_;
  TrafficMonitor monitor_;
};

TEST_F(TrafficMonitorTest, CountsTheLastFiveMinutes) {
  Note(100, seconds(1));
  EXPECT_EQ(At(seconds(1)).packets, 0u) << "when those came is not known";
  Note(110, seconds(11));
  Note(130, seconds(200));
  EXPECT_EQ(At(seconds(200)).packets, 30u);
  EXPECT_EQ(At(seconds(400)).packets, 20u);
  Note(130, seconds(600));
  EXPECT_EQ(At(seconds(600)).packets, 0u);
}

TEST_F(TrafficMonitorTest, KnowsTheLastPacketAtTheLatest) {
  EXPECT_EQ(At(seconds(0)).last_packet_unix_ns, 0);
  Note(0, seconds(1));
  EXPECT_EQ(At(seconds(1)).last_packet_unix_ns, 0) << "none was ever counted";
  Note(1, seconds(2));
  Note(1, seconds(3));
  EXPECT_EQ(At(seconds(3)).last_packet_unix_ns, 1'000 + 2'000'000'000);
}

TEST_F(TrafficMonitorTest, WhatAnEarlierDaemonCountedMayHaveComeJustNow) {
  Note(7, seconds(9));
  EXPECT_EQ(At(seconds(9)).last_packet_unix_ns, 1'000 + 9'000'000'000);
}

TEST_F(TrafficMonitorTest, ACounterThatBeganAnewCountsFromZero) {
  Note(100, seconds(1));
  Note(5, seconds(20));
  EXPECT_EQ(At(seconds(20)).packets, 5u);
}

TEST_F(TrafficMonitorTest, SumsThePoolsOfTheVips) {
  Note(0, seconds(1));
  Note(9, seconds(20));
  EXPECT_EQ(monitor_.Report(fleet_, 20'000'000'000).pools.at("web"), 9u);
}

}  // namespace
}  // namespace evenkeel::engine
