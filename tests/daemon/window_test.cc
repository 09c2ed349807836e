// SPDX-License-Identifier: Apache-2.0
//
// Windows of a real daemon: kept without the client, through a restart, to the kernel's tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::HasSubstr;
using Kind = engine::Outcome::Kind;
using std::chrono::seconds;

class WindowTest : public DaemonFixture {
 protected:
  void SetUp() override {
    DaemonFixture::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) AddNeighbors(6);
  }
  engine::Outcome ApplyWithin(const model::Config& config, seconds window) {
    engine::Request request;
    request.change.config = config;
    request.etag = client_->Get()->etag;
    request.reason = "a test";
    request.window.length = window;
    return client_->Apply(request);
  }
  // Until `done`, or for much longer than it takes.
  template <typename Condition>
  bool Await(Condition done) {
    for (int i = 0; i < 600; ++i) {
      if (done()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
};

TEST_F(WindowTest, TheDaemonEndsItWithoutTheClient) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const std::string before = Status().kernel_digest;
  ASSERT_EQ(ApplyWithin(MakeConfig(5), seconds(10)).kind, Kind::kApplied);
  EXPECT_NE(Status().kernel_digest, before);
  EXPECT_TRUE(Status().applied.awaits());
  ASSERT_TRUE(Await([&] { return client_->Get()->revision == 3; }));
  const engine::Status after = Status();
  EXPECT_EQ(after.kernel_digest, before);
  EXPECT_TRUE(after.digest_matches);
  EXPECT_EQ(after.applied.restores, 1u);
  EXPECT_EQ(client_->GetRevision(2)->standing, history::Standing::kRolledBack);
  const engine::Outcome late = client_->Confirm({.revision = 2});
  EXPECT_EQ(late.kind, Kind::kStale);
  EXPECT_TRUE(late.rolled_back);
}

TEST_F(WindowTest, ConfirmCancelAndRollbackReachTheKernel) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  ASSERT_EQ(ApplyWithin(MakeConfig(5), seconds(600)).kind, Kind::kApplied);
  const engine::Outcome other = Apply(MakeConfig(6));
  ASSERT_EQ(other.kind, Kind::kRefused);
  EXPECT_EQ(other.verdict.violations[0].rule, "LB014");
  ASSERT_EQ(client_->Confirm({.revision = 2}).kind, Kind::kConfirmed);
  ASSERT_EQ(ApplyWithin(MakeConfig(6), seconds(600)).kind, Kind::kApplied);
  const engine::Outcome cancelled = client_->Cancel({.reason = "no"});
  ASSERT_EQ(cancelled.kind, Kind::kApplied) << cancelled.status;
  EXPECT_EQ(cancelled.applied.restores, 2u);
  ASSERT_TRUE(cancelled.publish.has_value());
  const engine::Outcome back = client_->RollBack({.from = 4, .reason = "further"});
  ASSERT_EQ(back.kind, Kind::kApplied) << back.status;
  EXPECT_EQ(back.applied.restores, 1u);
  EXPECT_EQ(client_->Get()->config, MakeConfig(4));
  EXPECT_TRUE(Status().digest_matches);
  EXPECT_EQ(client_->RollBack({.from = 4, .reason = "again"}).kind, Kind::kStale);
}

TEST_F(WindowTest, ItEndsAlsoWhileNoDaemonRuns) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const std::string before = Status().kernel_digest;
  ASSERT_EQ(ApplyWithin(MakeConfig(5), seconds(10)).kind, Kind::kApplied);
  End(SIGKILL);
  std::this_thread::sleep_for(seconds(11));
  Start();
  const engine::Status after = Status();
  EXPECT_EQ(after.applied.revision, 3u);
  EXPECT_EQ(after.kernel_digest, before);
  EXPECT_THAT(after.adoption, HasSubstr("was not confirmed in time"));
}

// No server of the earlier state answers: going back would be an outage of its own.
TEST_F(WindowTest, AStateThatReachesNobodyIsNotBroughtBack) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  ASSERT_EQ(Apply(MakeConfig(5)).kind, Kind::kApplied);
  netns_->Run("ip link set ek0 down");
  ASSERT_TRUE(Await([&] { return !Status().pools[0].backends[0].problem.empty(); }));
  const engine::Outcome outcome = client_->RollBack({.reason = "undo"});
  ASSERT_EQ(outcome.kind, Kind::kRefused) << outcome.status;
  EXPECT_EQ(outcome.verdict.violations[0].rule, "LB010");
  EXPECT_EQ(client_->Get()->revision, 2u);
}

TEST_F(WindowTest, WhatNoRouteLeadsToDoesNotEnter) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  model::Config config = MakeConfig(5);
  config.pools[0].backends[4].address = *model::IpAddress::Parse("10.77.0.1");
  const engine::Outcome outcome = Apply(config);
  ASSERT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_EQ(outcome.verdict.violations[0].rule, "LB010");
  EXPECT_THAT(outcome.verdict.violations[0].observed, HasSubstr("no route to 10.77.0.1"));
  EXPECT_EQ(Apply(MakeConfig(5)).kind, Kind::kApplied);
}

}  // namespace
}  // namespace evenkeel::testing
