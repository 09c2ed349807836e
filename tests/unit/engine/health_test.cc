// SPDX-License-Identifier: Apache-2.0
//
// Servers that go out of the tables by their health, and come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = Outcome::Kind;

model::IpAddress Server(int number) {
  return *model::IpAddress::Parse(absl::StrCat("10.0.1.", number));
}

class HealthTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    Subscribe();
  }
  void Subscribe() {
    engine_->Subscribe([this](const Event& event) { events_.push_back(event.kind); });
  }
  static std::string Failed(const std::string&, const model::IpAddress&, uint16_t) {
    return "3 probes failed: connection refused";
  }
  HealthReport SetHealth(const health::Admission& wanted) {
    return engine_->SetHealth(wanted, Failed);
  }
  static health::Admission Out(const std::vector<int>& servers) {
    health::Admission out;
    for (const int server : servers) health::Admit("web", Server(server), health::kOut, &out);
    return out;
  }
  // The servers that the kernel's table has.
  std::vector<model::IpAddress> Serving() {
    return kernel_.applied()->FindPool("web")->table->servers;
  }
  guard::Digest InKernel() { return kernel_.ReadKernelState()->digest; }
  static model::Config Without(model::Config config, int server) {
    config.pools[0].backends[server - 1].state = model::AdminState::kDisabled;
    return config;
  }

  std::vector<Event::Kind> events_;
};

TEST_F(HealthTest, WhoIsOutHasNoSlotAndComesBack) {
  MustApply(MakeConfig(4));
  const std::string etag = engine_->Get()->etag;
  const HealthReport out = SetHealth(Out({2}));
  ASSERT_TRUE(out.status.ok()) << out.status;
  EXPECT_THAT(out.refused, IsEmpty());
  EXPECT_THAT(Serving(), ElementsAre(Server(1), Server(3), Server(4)));
  EXPECT_EQ(InKernel(), Build(Without(MakeConfig(4), 2))->digest);
  // Nobody changed the configuration.
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_EQ(engine_->Get()->etag, etag);
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  ASSERT_TRUE(SetHealth({}).status.ok());
  EXPECT_THAT(Serving(), SizeIs(4));
  EXPECT_EQ(InKernel(), Build(MakeConfig(4))->digest);
  EXPECT_THAT(events_, ElementsAre(Event::Kind::kApplied, Event::Kind::kDown, Event::Kind::kUp));
  const auto recorded = *history_->ListHealth(10);
  ASSERT_THAT(recorded, SizeIs(2));
  EXPECT_EQ(recorded[0].permille, health::kWhole);
  EXPECT_EQ(recorded[1].backend, "web-2");
  EXPECT_EQ(recorded[1].cause, "3 probes failed: connection refused");
}

// Who joined and waits did not fail.
TEST_F(HealthTest, TellsWhoWentAndCameBefore) {
  model::Config config = MakeConfig(4);
  config.pools[0].health_check.emplace().start = model::HealthCheck::Start::kDown;
  MustApply(config);
  config.pools[0].backends = MakeConfig(5).pools[0].backends;
  MustApply(config);
  ASSERT_THAT(Serving(), SizeIs(4));
  ASSERT_TRUE(SetHealth(Out({2, 5})).status.ok());
  ASSERT_TRUE(SetHealth({}).status.ok());
  ASSERT_THAT(*history_->ListHealth(10), SizeIs(4));
  const auto moves = engine_->HealthMovesSince(0);
  ASSERT_TRUE(moves.ok()) << moves.status();
  std::vector<std::string> texts;
  for (const health::Move& move : *moves) {
    texts.push_back(absl::StrCat(move.pool, " ", move.server.ToString(), move.out ? " out" : ""));
  }
  EXPECT_THAT(texts, ElementsAre("web 10.0.1.2 out", "web 10.0.1.2", "web 10.0.1.5"));
  EXPECT_THAT(*engine_->HealthMovesSince(moves->back().unix_ns + 1), IsEmpty());
}

// Weights 300, 100, 100, 100: without web-4 the first would have 60 %.
TEST_F(HealthTest, WhatWouldConcentrateTrafficIsRefusedAndNamed) {
  model::Config config = MakeConfig(4);
  config.pools[0].backends[0].weight = 300;
  MustApply(config);
  const guard::Digest before = InKernel();
  const HealthReport report = SetHealth(Out({4}));
  ASSERT_TRUE(report.status.ok()) << report.status;
  ASSERT_THAT(report.refused, SizeIs(1));
  EXPECT_EQ(report.refused[0].pool, "web");
  EXPECT_EQ(report.refused[0].server, Server(4));
  EXPECT_THAT(report.refused[0].why, HasSubstr("LB001"));
  EXPECT_EQ(InKernel(), before);
  EXPECT_THAT(*history_->ListHealth(10), IsEmpty());
  EXPECT_EQ(events_.size(), 1u);
  // The nearest one that passes.
  EXPECT_THAT(SetHealth(Out({1})).refused, IsEmpty());
  EXPECT_THAT(Serving(), SizeIs(3));
}

TEST_F(HealthTest, OfSeveralThoseGoThatMay) {
  MustApply(MakeConfig(4));
  // Two of four are the minimum.
  const HealthReport report = SetHealth(Out({1, 2, 3}));
  ASSERT_TRUE(report.status.ok());
  ASSERT_THAT(report.refused, SizeIs(1));
  EXPECT_EQ(report.refused[0].server, Server(3));
  EXPECT_THAT(report.refused[0].why, HasSubstr("LB003"));
  EXPECT_THAT(Serving(), ElementsAre(Server(3), Server(4)));
  EXPECT_THAT(*history_->ListHealth(10), SizeIs(2));
}

TEST_F(HealthTest, WhoComesBackDoesNotWaitForWhoMustStay) {
  MustApply(MakeConfig(4));
  ASSERT_TRUE(SetHealth(Out({1, 2})).status.ok());
  const HealthReport report = SetHealth(Out({2, 3, 4}));
  EXPECT_THAT(report.refused, SizeIs(1));
  EXPECT_THAT(Serving(), ElementsAre(Server(1), Server(4)));
}

TEST_F(HealthTest, AChangeIsPublishedWithoutThoseThatAreOut) {
  MustApply(MakeConfig(6));
  ASSERT_TRUE(SetHealth(Out({2})).status.ok());
  const Outcome outcome = MustApply(MakeConfig(7));
  EXPECT_EQ(outcome.applied.digest, Build(MakeConfig(7))->digest) << "that of what was asked for";
  EXPECT_EQ(InKernel(), Build(Without(MakeConfig(7), 2))->digest);
  EXPECT_THAT(Serving(), SizeIs(6));
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(7))).kind, Kind::kNoChange);
  ASSERT_TRUE(SetHealth({}).status.ok());
  EXPECT_EQ(InKernel(), Build(MakeConfig(7))->digest);
}

// The change alone would pass; with web-1 and web-2 down it leaves one.
TEST_F(HealthTest, AChangeIsJudgedAsItWouldBePublished) {
  model::Config config = MakeConfig(4);
  MustApply(config);
  ASSERT_TRUE(SetHealth(Out({1, 2})).status.ok());
  config.pools[0].backends[3].state = model::AdminState::kDraining;
  const Outcome outcome = engine_->Apply(MakeRequest(config));
  ASSERT_EQ(outcome.kind, Kind::kRefused);
  std::vector<std::string> rules;
  for (const auto& violation : outcome.verdict.violations) rules.push_back(violation.rule);
  EXPECT_THAT(rules, Contains("LB003"));
  config = MakeConfig(4);
  config.pools[0].backends[0].state = model::AdminState::kDraining;  // it is down anyway
  EXPECT_EQ(engine_->Apply(MakeRequest(config)).kind, Kind::kApplied);
}

TEST_F(HealthTest, ARollbackLeavesOutWhoIsDown) {
  MustApply(MakeConfig(4));
  MustApply(MakeConfig(5));
  ASSERT_TRUE(SetHealth(Out({2})).status.ok());
  ASSERT_EQ(engine_->RollBack({.reason = "undo", .author = "bob"}).kind, Kind::kApplied);
  EXPECT_EQ(InKernel(), Build(Without(MakeConfig(4), 2))->digest);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
}

TEST_F(HealthTest, ARestartTakesOverWhoIsOut) {
  MustApply(MakeConfig(4));
  ASSERT_TRUE(SetHealth(Out({2})).status.ok());
  const int writes = kernel_.writes;
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_FALSE(report.wrote) << report.adoption;
  EXPECT_EQ(kernel_.writes, writes);
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  EXPECT_THAT(Serving(), SizeIs(3));
  ASSERT_TRUE(SetHealth({}).status.ok());
  StartDaemon();
  MustStart();
  EXPECT_THAT(Serving(), SizeIs(4));
}

// It was under way when the daemon was killed, with somebody out.
TEST_F(HealthTest, APendingRevisionIsSettledByWhatWasPublished) {
  MustApply(MakeConfig(4));
  ASSERT_TRUE(SetHealth(Out({2})).status.ok());
  MustApply(MakeConfig(5));
  Sql("UPDATE revisions SET outcome = 0 WHERE number = 2");
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_EQ(report.revision, 2u) << report.adoption;
  EXPECT_FALSE(report.wrote);
}

TEST_F(HealthTest, DoesNotWaitForTheRecord) {
  MustApply(MakeConfig(4));
  Sql("CREATE TRIGGER gone BEFORE INSERT ON health_changes BEGIN SELECT RAISE(ABORT, 'full'); "
      "END");
  ASSERT_TRUE(SetHealth(Out({2})).status.ok());
  EXPECT_THAT(Serving(), SizeIs(3));
  EXPECT_THAT(engine_->GetStatus()->notices, ElementsAre(HasSubstr("could not be recorded")));
  Sql("DROP TRIGGER gone");
  Pass(std::chrono::seconds(1));
  EXPECT_THAT(engine_->GetStatus()->notices, IsEmpty());
  EXPECT_THAT(*history_->ListHealth(10), SizeIs(1));
}

TEST_F(HealthTest, WhatCannotBePublishedChangesNothing) {
  MustApply(MakeConfig(4));
  kernel_.publish_error = absl::ResourceExhaustedError("no memory");
  EXPECT_FALSE(SetHealth(Out({2})).status.ok());
  EXPECT_THAT(Serving(), SizeIs(4));
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  EXPECT_FALSE(SetHealth(Out({2})).status.ok());
  kernel_.publish_error = absl::OkStatus();
  EXPECT_TRUE(SetHealth(Out({2})).status.ok());
  EXPECT_THAT(Serving(), SizeIs(3));
  EXPECT_THAT(*history_->ListHealth(10), SizeIs(1)) << "once, however often it was tried";
}

TEST_F(HealthTest, WhoDoesNotServeCannotBeOut) {
  MustApply(MakeConfig(4));
  const int writes = kernel_.writes;
  health::Admission out = Out({9});
  health::Admit("gone", Server(1), health::kOut, &out);
  ASSERT_TRUE(SetHealth(out).status.ok());
  EXPECT_EQ(kernel_.writes, writes);
}

TEST_F(HealthTest, NothingIsPublishedWhereNothingIsInForce) {
  EXPECT_FALSE(SetHealth(Out({1})).status.ok());
}

}  // namespace
}  // namespace evenkeel::engine
