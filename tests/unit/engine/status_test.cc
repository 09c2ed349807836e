// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class StatusTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
  }
};

TEST_F(StatusTest, SharesAndCountersAreJoinedByName) {
  model::Config config = MakeConfig(4);
  config.pools[0].backends[3].state = model::AdminState::kDraining;
  MustApply(config);
  kernel_.counters.vips = {{.vip = "web", .counter = {.packets = 10, .bytes = 1000}}};
  kernel_.counters.backends = {{.pool = "web",
                                .backend = "web-2",
                                .address = *model::IpAddress::Parse("10.0.1.2"),
                                .counter = {.packets = 4}}};
  kernel_.counters.verdicts = {{"pass_no_vip", 7}};

  const Status status = *engine_->GetStatus();
  EXPECT_EQ(status.version, "1.2.3");
  EXPECT_EQ(status.instance, "test");
  EXPECT_EQ(status.applied.revision, 1u);
  EXPECT_TRUE(status.digest_matches);
  EXPECT_EQ(status.kernel_digest, status.applied.digest.ToHex());
  ASSERT_EQ(status.vips.size(), 1u);
  EXPECT_EQ(status.vips[0].counter.packets, 10u);
  ASSERT_EQ(status.pools.size(), 1u);
  ASSERT_EQ(status.pools[0].backends.size(), 4u);
  EXPECT_EQ(status.pools[0].backends[1].counter.packets, 4u);
  EXPECT_EQ(status.pools[0].backends[0].counter.packets, 0u);
  double sum = 0;
  for (const BackendStatus& backend : status.pools[0].backends) sum += backend.share;
  EXPECT_DOUBLE_EQ(sum, 1.0);
  EXPECT_EQ(status.pools[0].backends[3].share, 0);
  EXPECT_THAT(status.verdicts, Contains(std::make_pair(std::string("pass_no_vip"), 7u)));
  EXPECT_THAT(status.notices, IsEmpty());
}

TEST_F(StatusTest, AKernelThatDriftedIsAnAlarm) {
  MustApply(MakeConfig(4));
  kernel_.Force(Build(MakeConfig(5)), 1);
  const Status status = *engine_->GetStatus();
  EXPECT_FALSE(status.digest_matches);
  EXPECT_THAT(status.notices, Contains(HasSubstr("another state")));
}

TEST_F(StatusTest, AnApplyUnderWayIsNoAlarm) {
  MustApply(MakeConfig(8));
  std::promise<void> publishing, go_on;
  kernel_.before_publish = [&] {
    // The swap has happened, the engine does not know yet.
    kernel_.Force(Build(MakeConfig(9)), 2);
    publishing.set_value();
    go_on.get_future().wait_for(std::chrono::seconds(5));
  };
  const Request request = MakeRequest(MakeConfig(9));
  auto apply = std::async(std::launch::async, [&] { return engine_->Apply(request).kind; });
  ASSERT_EQ(publishing.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  auto status = std::async(std::launch::async, [&] { return *engine_->GetStatus(); });
  EXPECT_EQ(status.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  go_on.set_value();
  EXPECT_EQ(apply.get(), Outcome::Kind::kApplied);
  const Status got = status.get();
  EXPECT_TRUE(got.digest_matches);
  EXPECT_EQ(got.applied.revision, 2u);
  EXPECT_THAT(got.notices, IsEmpty());
}

// The findings of one check, as "level detail".
std::vector<std::string> Of(const std::vector<Finding>& findings, const std::string& check) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) {
    if (finding.check != check) continue;
    const char* level = finding.level == Finding::Level::kOk     ? "ok "
                        : finding.level == Finding::Level::kWarn ? "warn "
                                                                 : "fail ";
    texts.push_back(level + finding.detail);
    EXPECT_EQ(finding.remedy.empty(), finding.level == Finding::Level::kOk) << finding.detail;
  }
  return texts;
}

TEST_F(StatusTest, ADiagnosisOfAHealthyDaemonHasNothingToMend) {
  MustApply(MakeConfig(4));
  const auto findings = *engine_->Diagnose();
  EXPECT_THAT(Of(findings, "history"), ElementsAre("ok whole, and can be written"));
  EXPECT_THAT(Of(findings, "kernel-state"), ElementsAre("ok forwards with revision 1, read back"));
  EXPECT_THAT(Of(findings, "backend"), ElementsAre("ok 4 serve, and all can be reached"));
  EXPECT_THAT(Of(findings, "confirmation"), IsEmpty());
}

TEST_F(StatusTest, ADiagnosisHasWhatTheHostIsLike) {
  MustApply(MakeConfig(4));
  EXPECT_THAT(Of(*engine_->Diagnose(), "host"), ElementsAre("ok of revision 1"));
}

TEST_F(StatusTest, ADiagnosisNamesWhatIsWrong) {
  EXPECT_THAT(Of(*engine_->Diagnose(), "kernel-state"),
              ElementsAre("warn nothing was applied yet"));
  MustApply(MakeConfig(4));
  Request request = MakeRequest(MakeConfig(5));
  request.window.length = std::chrono::seconds(60);
  engine_->Apply(request);
  engine_->SetWatched(
      {.state = Watched::State::kHeld, .path = "/etc/web.yaml", .detail = "it is empty"});
  kernel_.Force(Build(MakeConfig(3)), 9);
  Sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE config_pieces (x' "
      "WHERE name = 'config_pieces'; PRAGMA schema_version = 999");
  const auto findings = *engine_->Diagnose();
  EXPECT_THAT(Of(findings, "kernel-state"),
              ElementsAre("fail the kernel does not forward with revision 2"));
  EXPECT_THAT(Of(findings, "confirmation"), ElementsAre(HasSubstr("warn revision 2 awaits")));
  EXPECT_THAT(Of(findings, "watched-file"), ElementsAre("fail held: it is empty"));
  EXPECT_THAT(Of(findings, "history"), ElementsAre(HasSubstr("fail history ")));
  EXPECT_THAT(Of(findings, "notice"), Not(IsEmpty()));
}

TEST_F(StatusTest, ReachabilityIsTold) {
  std::vector<Event> events;
  engine_->Subscribe([&](const Event& event) { events.push_back(event); });
  neighbor::Resolution resolution;
  resolution.address = *model::IpAddress::Parse("10.0.1.1");
  resolution.problem = "no route to 10.0.1.1";
  engine_->ReportReachability(resolution);
  resolution.next_hop.emplace();
  resolution.interface = "eth1";
  engine_->ReportReachability(resolution);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, Event::Kind::kUnreachable);
  EXPECT_EQ(events[0].subject, "10.0.1.1");
  EXPECT_EQ(events[0].message, "no route to 10.0.1.1");
  EXPECT_EQ(events[1].kind, Event::Kind::kReachable);
}

}  // namespace
}  // namespace evenkeel::engine
