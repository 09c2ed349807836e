// SPDX-License-Identifier: Apache-2.0
//
// Servers that have a part of their share: from the moment that they join, over changes, and over
// restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = Outcome::Kind;

model::IpAddress Server(int number) {
  return *model::IpAddress::Parse(absl::StrCat("10.0.1.", number));
}

class SlowStartTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
  }
  static model::Config Slowly(int backends) {
    model::Config config = MakeConfig(backends);
    config.pools[0].slow_start.new_backends = true;
    return config;
  }
  static model::Config Waiting(int backends) {
    model::Config config = MakeConfig(backends);
    config.pools[0].health_check.emplace().start = model::HealthCheck::Start::kDown;
    return config;
  }
  static health::Admission Part(int server, uint16_t permille) {
    health::Admission admission;
    health::Admit("web", Server(server), permille, &admission);
    return admission;
  }
  HealthReport SetHealth(const health::Admission& wanted) {
    return engine_->SetHealth(wanted,
                              [](const std::string&, const model::IpAddress&, uint16_t permille) {
                                return absl::StrCat("to ", permille);
                              });
  }
  // Of the slots in the kernel's table.
  double ShareOf(int server) {
    const guard::BuiltTable& table = *kernel_.applied()->FindPool("web")->table;
    const std::vector<uint32_t> slots = table.CountSlots();
    for (size_t i = 0; i < slots.size(); ++i) {
      if (table.servers[i] == Server(server)) return double(slots[i]) / table.size;
    }
    return 0;
  }
  uint16_t Has(int server) {
    return health::Admitted(engine_->Snapshot()->admission, "web", Server(server));
  }
};

TEST_F(SlowStartTest, AStepIsPublishedAndRecorded) {
  MustApply(MakeConfig(4));
  ASSERT_TRUE(SetHealth(Part(2, 200)).status.ok());
  EXPECT_NEAR(ShareOf(2), 0.05, 0.0005);
  EXPECT_NEAR(ShareOf(1), 0.95 / 3, 0.0005);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  EXPECT_DOUBLE_EQ(engine_->GetStatus()->pools[0].backends[1].admitted, 0.2);
  EXPECT_DOUBLE_EQ(engine_->GetStatus()->pools[0].backends[0].admitted, 1);
  EXPECT_EQ(history_->Reduced()->front().permille, 200);
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_FALSE(report.wrote) << report.adoption;
  EXPECT_EQ(Has(2), 200);
  ASSERT_TRUE(SetHealth({}).status.ok());
  EXPECT_NEAR(ShareOf(2), 0.25, 0.0005);
  EXPECT_THAT(*history_->Reduced(), IsEmpty());
}

TEST_F(SlowStartTest, OnlyTheFirstStepIsTold) {
  std::vector<Event::Kind> events;
  MustApply(MakeConfig(4));
  engine_->Subscribe([&](const Event& event) { events.push_back(event.kind); });
  for (const uint16_t permille : {0, 100, 200, 1000}) {
    ASSERT_TRUE(SetHealth(Part(2, permille)).status.ok());
  }
  EXPECT_THAT(events, ::testing::ElementsAre(Event::Kind::kDown, Event::Kind::kUp));
}

// Three servers, of which web-1 may have at most half; with web-3 out and web-2 at a tenth it would
// have nearly all.
TEST_F(SlowStartTest, NobodyIsSparedWhereTheOthersWouldHaveTooMuch) {
  MustApply(MakeConfig(3));
  ASSERT_TRUE(SetHealth(Part(2, 100)).status.ok());
  health::Admission wanted = Part(2, 100);
  health::Admit("web", Server(3), health::kOut, &wanted);
  const HealthReport report = SetHealth(wanted);
  ASSERT_TRUE(report.status.ok()) << report.status;
  EXPECT_THAT(report.refused, IsEmpty()) << "a dead server is out all the same";
  EXPECT_EQ(Has(2), health::kWhole);
  EXPECT_NEAR(ShareOf(2), 0.5, 0.001);
  EXPECT_EQ(ShareOf(3), 0);
}

TEST_F(SlowStartTest, ADrainIsNotRefusedForItsSake) {
  model::Config config = MakeConfig(3);
  MustApply(config);
  ASSERT_TRUE(SetHealth(Part(2, 100)).status.ok());
  config.pools[0].backends[2].state = model::AdminState::kDraining;
  EXPECT_EQ(MustApply(config).kind, Kind::kApplied);
  EXPECT_NEAR(ShareOf(2), 0.5, 0.001);
  EXPECT_EQ(Has(2), health::kWhole);
}

TEST_F(SlowStartTest, AChangeOfSomethingElseLeavesItAsItIs) {
  MustApply(MakeConfig(4));
  ASSERT_TRUE(SetHealth(Part(2, 200)).status.ok());
  model::Config config = MakeConfig(4);
  config.pools[0].backends[3].weight = 110;
  MustApply(config);
  EXPECT_EQ(Has(2), 200);
  EXPECT_NEAR(ShareOf(2), 0.2 * 100 / 410, 0.001);
}

TEST_F(SlowStartTest, NewBackendsBeginWithAStepWhereThePoolSaysSo) {
  MustApply(Slowly(8));
  EXPECT_TRUE(engine_->Snapshot()->admission.empty()) << "the first ones have nobody beside them";
  MustApply(Slowly(9));
  EXPECT_EQ(Has(9), 100);
  EXPECT_NEAR(ShareOf(9), 0.1 / 9, 0.001);
  EXPECT_EQ(history_->Reduced()->front().cause, "joined the pool, and starts slowly");
  StartDaemon();
  EXPECT_FALSE(MustStart().wrote);
  EXPECT_EQ(Has(9), 100);
}

TEST_F(SlowStartTest, ElsewhereTheyHaveTheirShareAtOnce) {
  MustApply(MakeConfig(8));
  MustApply(MakeConfig(9));
  EXPECT_NEAR(ShareOf(9), 1.0 / 9, 0.001);
}

TEST_F(SlowStartTest, WhoWasDrainedComesBackLikeANewOne) {
  model::Config config = Slowly(8);
  MustApply(config);
  config.pools[0].backends[1].state = model::AdminState::kDraining;
  MustApply(config);
  MustApply(Slowly(8));
  EXPECT_EQ(Has(2), 100);
}

TEST_F(SlowStartTest, ARollbackWaitsForNobody) {
  MustApply(Slowly(9));
  MustApply(Slowly(8));
  ASSERT_EQ(engine_->RollBack({.reason = "undo", .author = "bob"}).kind, Kind::kApplied);
  EXPECT_EQ(Has(9), health::kWhole);
  EXPECT_NEAR(ShareOf(9), 1.0 / 9, 0.001);
}

// Not for a moment: no packet goes to a server that has not answered yet.
TEST_F(SlowStartTest, WhoStartsDownIsNotInTheTableThatItsChangeBrings) {
  MustApply(Waiting(4));
  MustApply(Waiting(5));
  EXPECT_EQ(ShareOf(5), 0);
  EXPECT_EQ(Has(5), health::kOut);
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  StartDaemon();
  EXPECT_FALSE(MustStart().wrote);
  EXPECT_EQ(Has(5), health::kOut) << "it has not answered since";
}

TEST_F(SlowStartTest, NobodyWaitsForProbesThatHaveNoPort) {
  model::Config config = Waiting(4);
  config.vips[0].port = 0;
  MustApply(config);
  config = Waiting(5);
  config.vips[0].port = 0;
  MustApply(config);
  EXPECT_GT(ShareOf(5), 0);
}

// A pool whose servers are all replaced at once goes on to serve, with the new ones.
TEST_F(SlowStartTest, WhoStartsDownServesWhereTooFewOthersDo) {
  model::Config config = Waiting(4);
  MustApply(config);
  config = Waiting(6);
  for (int i = 0; i < 4; ++i) config.pools[0].backends[i].state = model::AdminState::kDisabled;
  config.pools[0].backends[3].state = model::AdminState::kEnabled;
  config.pools[0].policy.exceptions = {};
  Request request = MakeRequest(config);
  request.consent = {
      .allow_live = true, .overrides = {"LB005", "LB006"}, .expires = std::chrono::seconds(60)};
  const Outcome outcome = engine_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kApplied)
      << (outcome.verdict.violations.empty() ? "" : outcome.verdict.violations[0].message);
  EXPECT_GT(ShareOf(4), 0);
  EXPECT_GT(ShareOf(5), 0) << "two must serve";
  EXPECT_EQ(ShareOf(6), 0);
}

TEST_F(SlowStartTest, WhoLeavesThePoolIsForgotten) {
  MustApply(Waiting(4));
  MustApply(Waiting(5));
  ASSERT_EQ(Has(5), health::kOut);
  MustApply(Waiting(4));
  EXPECT_TRUE(engine_->Snapshot()->admission.empty());
  EXPECT_THAT(*history_->Reduced(), IsEmpty());
}

// A daemon that is killed right after publishing must find what it published.
TEST_F(SlowStartTest, WhoHasLessIsRecordedBeforeItIsPublished) {
  MustApply(Slowly(8));
  size_t recorded = 0;
  kernel_.before_publish = [&] { recorded = history_->Reduced()->size(); };
  MustApply(Slowly(9));
  EXPECT_EQ(recorded, 1u);
  MustApply(Slowly(8));
  EXPECT_EQ(recorded, 1u) << "and who has more, after it";
  EXPECT_THAT(*history_->Reduced(), IsEmpty());
}

TEST_F(SlowStartTest, WhatCannotBePublishedAdmitsNobodyLess) {
  MustApply(Slowly(8));
  kernel_.publish_error = absl::ResourceExhaustedError("no memory");
  EXPECT_EQ(engine_->Apply(MakeRequest(Slowly(9))).kind, Kind::kFailed);
  EXPECT_TRUE(engine_->Snapshot()->admission.empty());
  kernel_.publish_error = absl::OkStatus();
  StartDaemon();
  EXPECT_FALSE(MustStart().wrote);
  MustApply(Slowly(9));
  EXPECT_EQ(Has(9), 100);
}

}  // namespace
}  // namespace evenkeel::engine
