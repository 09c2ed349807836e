// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = Outcome::Kind;

class ApplyTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    engine_->Subscribe([this](const Event& event) { events_.push_back(event.kind); });
  }
  std::vector<Event::Kind> events_;
};

TEST_F(ApplyTest, FirstStateIsRevisionOne) {
  const Outcome outcome = MustApply(MakeConfig(4));
  EXPECT_EQ(outcome.applied.revision, 1u);
  EXPECT_EQ(outcome.applied.etag, MakeEtag(1, outcome.applied.digest));
  EXPECT_EQ(outcome.applied.author, "uid 1000 (alice)");
  EXPECT_EQ(outcome.applied.reason, "a test");
  ASSERT_TRUE(outcome.publish.has_value());
  EXPECT_EQ(outcome.publish->probes, 2u);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_EQ(kernel_.ReadKernelState()->digest, outcome.applied.digest);
  const auto recorded = engine_->GetRevision(1);
  ASSERT_TRUE(recorded.ok());
  EXPECT_EQ(recorded->outcome, history::Outcome::kApplied);
  EXPECT_EQ(recorded->digest, outcome.applied.digest.ToHex());
  EXPECT_THAT(recorded->verdict_json, HasSubstr("\"verdict\":\"pass\""));
  EXPECT_THAT(events_, ElementsAre(Event::Kind::kApplied));
}

struct BadArgument {
  const char* name;
  std::function<void(Request*)> spoil;
  const char* field;
};

class BadArgumentTest : public ApplyTest, public ::testing::WithParamInterface<BadArgument> {};

TEST_P(BadArgumentTest, IsInvalidWithItsField) {
  Request request = MakeRequest(MakeConfig(4));
  GetParam().spoil(&request);
  const Outcome outcome = engine_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  ASSERT_FALSE(outcome.diagnostics.empty());
  EXPECT_EQ(outcome.diagnostics[0].field, GetParam().field);
  EXPECT_EQ(kernel_.writes, 0);
  EXPECT_TRUE(engine_->ListRevisions(10)->empty());
}

INSTANTIATE_TEST_SUITE_P(
    Apply, BadArgumentTest,
    ::testing::Values(
        BadArgument{"NoEtag", [](Request* r) { r->etag.clear(); }, "etag"},
        BadArgument{"NoReason", [](Request* r) { r->reason.clear(); }, "reason"},
        BadArgument{"LongReason", [](Request* r) { r->reason = std::string(1025, 'x'); }, "reason"},
        BadArgument{"ReasonNotUtf8", [](Request* r) { r->reason = "\xff\xfe"; }, "reason"},
        BadArgument{"NoChange", [](Request* r) { r->change = {}; }, "change"},
        BadArgument{"TwoChanges", [](Request* r) { r->change.pool = r->change.config->pools[0]; },
                    "change"},
        BadArgument{"DanglingPool", [](Request* r) { r->change.config->vips[0].pool = "nope"; },
                    "vips[0].pool"},
        BadArgument{"TableSizeNotPrime",
                    [](Request* r) { r->change.config->pools[0].table_size = 252; },
                    "pools[0].table_size"}),
    [](const auto& param) { return param.param.name; });

TEST_F(ApplyTest, AReasonOfTheFullLengthIsTaken) {
  Request request = MakeRequest(MakeConfig(4));
  request.reason = std::string(1024, 'x');
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kApplied);
}

TEST_F(ApplyTest, ADiagnosticOfOnePoolIsNamedFromThatPool) {
  model::Config config = MakeConfig(4);
  config.pools.push_back(MakeConfig(4, "api").pools[0]);
  MustApply(config);
  Request request = MakeRequest(config);
  request.change.config.reset();
  request.change.pool = config.pools[1];
  request.change.pool->table_size = 8;
  const Outcome outcome = engine_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kInvalid);
  EXPECT_EQ(outcome.diagnostics[0].field, "pool.table_size");
}

TEST_F(ApplyTest, TheFoundingOutageIsRefusedAndRecorded) {
  MustApply(MakeConfig(4));
  model::Config outage = MakeConfig(4);
  for (size_t i = 1; i < 4; ++i) outage.pools[0].backends[i].state = model::AdminState::kDisabled;
  const Outcome outcome = engine_->Apply(MakeRequest(outage));
  ASSERT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_TRUE(outcome.verdict.refused());
  EXPECT_GE(outcome.verdict.violations.size(), 2u);
  EXPECT_EQ(outcome.applied.revision, 1u);
  EXPECT_EQ(kernel_.writes, 1);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  const auto list = *engine_->ListRevisions(10);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].outcome, history::Outcome::kRefused);
  EXPECT_THAT(list[0].error, HasSubstr("LB003"));
  EXPECT_THAT(list[0].verdict_json, HasSubstr("\"verdict\":\"refuse\""));
  EXPECT_THAT(events_, ElementsAre(Event::Kind::kApplied, Event::Kind::kRefused));
}

TEST_F(ApplyTest, ARefusalIsOneEvenIfItCannotBeRecorded) {
  Sql("CREATE TRIGGER t BEFORE INSERT ON refusals BEGIN SELECT RAISE(ABORT, 'disk gone'); END");
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(1))).kind, Kind::kRefused);
  EXPECT_THAT(engine_->GetStatus()->notices, ::testing::Contains(HasSubstr("disk gone")));
  // It is not lost: it is recorded when that is possible.
  EXPECT_EQ(engine_->Apply(MakeRequest(MakeConfig(1))).kind, Kind::kRefused);
  Sql("DROP TRIGGER t");
  Pass(std::chrono::seconds(2));
  EXPECT_THAT(engine_->GetStatus()->notices,
              ::testing::Not(::testing::Contains(HasSubstr("gone"))));
  const auto list = *engine_->ListRevisions(10);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].outcome, history::Outcome::kRefused);
  EXPECT_EQ(list[1].outcome, history::Outcome::kRefused);
}

TEST_F(ApplyTest, AnExceptionInACheckRefuses) {
  facts_ = []() -> absl::StatusOr<guard::Facts> { throw std::runtime_error("boom"); };
  const Outcome outcome = engine_->Apply(MakeRequest(MakeConfig(4)));
  ASSERT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_THAT(outcome.verdict.violations[0].message, HasSubstr("boom"));
  EXPECT_EQ(kernel_.writes, 0);
}

TEST_F(ApplyTest, UnknownHostAddressesFail) {
  facts_ = [] { return absl::InternalError("netlink is gone"); };
  const Outcome outcome = engine_->Apply(MakeRequest(MakeConfig(4)));
  ASSERT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("netlink is gone"));
  EXPECT_EQ(kernel_.writes, 0);
}

TEST_F(ApplyTest, OnePoolReplacesThatPoolOnly) {
  model::Config config = MakeConfig(4);
  config.pools.push_back(MakeConfig(4, "api").pools[0]);
  for (model::Backend& backend : config.pools[1].backends) {
    backend.address = *model::IpAddress::Parse(absl::StrCat("10.0.2.", backend.name.back() - '0'));
  }
  MustApply(config);
  Request request = MakeRequest(config);
  request.change.config.reset();
  request.change.pool = config.pools[1];
  request.change.pool->backends[0].weight = 120;
  const Outcome outcome = engine_->Apply(request);
  ASSERT_EQ(outcome.kind, Kind::kApplied) << outcome.status;
  config.pools[1].backends[0].weight = 120;
  EXPECT_EQ(engine_->Get()->config, config);
}

TEST_F(ApplyTest, TheSameStateIsNoChangeAndNoRevision) {
  MustApply(MakeConfig(4));
  const Outcome outcome = engine_->Apply(MakeRequest(MakeConfig(4)));
  EXPECT_EQ(outcome.kind, Kind::kNoChange);
  EXPECT_EQ(outcome.applied.revision, 1u);
  EXPECT_EQ(engine_->ListRevisions(10)->size(), 1u);
  EXPECT_EQ(kernel_.writes, 1);
}

TEST_F(ApplyTest, ALabelAloneIsARevision) {
  MustApply(MakeConfig(4));
  model::Config config = MakeConfig(4);
  config.pools[0].backends[0].labels["owner"] = "me";
  EXPECT_EQ(MustApply(config).applied.revision, 2u);
  EXPECT_EQ(engine_->Get()->config, config);
}

TEST_F(ApplyTest, TheEtagOfAFormerRevisionIsStale) {
  Request late = MakeRequest(MakeConfig(5));
  MustApply(MakeConfig(4));
  const Outcome outcome = engine_->Apply(late);
  ASSERT_EQ(outcome.kind, Kind::kStale);
  EXPECT_EQ(outcome.applied.revision, 1u);
  EXPECT_EQ(outcome.applied.etag, engine_->Get()->etag);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("uid 1000 (alice)"));
  EXPECT_EQ(engine_->Plan(late).kind, Kind::kStale);
  late.etag.clear();
  EXPECT_EQ(engine_->Plan(late).kind, Kind::kValidated);
}

TEST_F(ApplyTest, AStaleDangerousChangeIsStaleNotRefused) {
  Request late = MakeRequest(MakeConfig(1));
  MustApply(MakeConfig(4));
  EXPECT_EQ(engine_->Apply(late).kind, Kind::kStale);
}

TEST_F(ApplyTest, OfTwoConcurrentAppliesOneWins) {
  MustApply(MakeConfig(8));
  const Request first = MakeRequest(MakeConfig(9));
  const Request second = MakeRequest(MakeConfig(10));
  auto other = std::async(std::launch::async, [&] { return engine_->Apply(second).kind; });
  const Kind mine = engine_->Apply(first).kind;
  const Kind theirs = other.get();
  EXPECT_TRUE((mine == Kind::kApplied && theirs == Kind::kStale) ||
              (mine == Kind::kStale && theirs == Kind::kApplied));
  EXPECT_EQ(engine_->Get()->revision, 2u);
}

TEST_F(ApplyTest, ValidateOnlyAndPlanLeaveNoTrace) {
  Request request = MakeRequest(MakeConfig(4));
  request.validate_only = true;
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kValidated);
  request.change.config = MakeConfig(1);
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kRefused);
  EXPECT_EQ(engine_->Plan(request).kind, Kind::kRefused);
  EXPECT_TRUE(engine_->ListRevisions(10)->empty());
  EXPECT_EQ(kernel_.writes, 0);
  EXPECT_TRUE(events_.empty());
}

TEST_F(ApplyTest, ARefusalOfAValidatedChangeIsRecordedWhereAsked) {
  Request request = MakeRequest(MakeConfig(1));
  request.validate_only = true;
  request.record_refusal = true;
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kRefused);
  const auto list = engine_->ListRevisions(10);
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ((*list)[0].outcome, history::Outcome::kRefused);
  EXPECT_EQ((*list)[0].reason, request.reason);
  request.change.config = MakeConfig(4);
  EXPECT_EQ(engine_->Apply(request).kind, Kind::kValidated) << "and what passes is not applied";
  EXPECT_EQ(kernel_.writes, 0);
}

TEST_F(ApplyTest, PlanDoesNotWaitForARunningApply) {
  std::promise<void> publishing, go_on;
  kernel_.before_publish = [&] {
    publishing.set_value();
    go_on.get_future().wait_for(std::chrono::seconds(5));
  };
  const Request request = MakeRequest(MakeConfig(4));
  auto apply = std::async(std::launch::async, [&] { return engine_->Apply(request).kind; });
  ASSERT_EQ(publishing.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(engine_->Plan(request).kind, Kind::kValidated);
  EXPECT_EQ(engine_->Get()->revision, 0u);
  EXPECT_EQ(engine_->ListRevisions(1)->size(), 1u);
  go_on.set_value();
  EXPECT_EQ(apply.get(), Kind::kApplied);
}

TEST_F(ApplyTest, AFailedPublishChangesNothingAndIsRecorded) {
  MustApply(MakeConfig(4));
  kernel_.publish_error = absl::ResourceExhaustedError("no table id is free");
  const Outcome outcome = engine_->Apply(MakeRequest(MakeConfig(5)));
  ASSERT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(outcome.applied.revision, 1u);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_EQ(engine_->GetRevision(2)->outcome, history::Outcome::kFailed);
  EXPECT_EQ(engine_->GetRevision(2)->error, "no table id is free");
  EXPECT_EQ(events_.back(), Event::Kind::kFailed);
  kernel_.publish_error = absl::OkStatus();
  EXPECT_EQ(MustApply(MakeConfig(5)).applied.revision, 3u);
}

TEST_F(ApplyTest, WithoutARecordOfTheIntentNothingIsPublished) {
  Sql("CREATE TRIGGER t BEFORE INSERT ON revisions BEGIN SELECT RAISE(ABORT, 'disk gone'); END");
  const Outcome outcome = engine_->Apply(MakeRequest(MakeConfig(4)));
  ASSERT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("disk gone"));
  EXPECT_EQ(kernel_.writes, 0);
}

TEST_F(ApplyTest, AnOutcomeThatCannotBeRecordedHoldsTheNextChangeUntilItIs) {
  Sql("CREATE TRIGGER t BEFORE UPDATE ON revisions BEGIN SELECT RAISE(ABORT, 'disk gone'); END");
  EXPECT_EQ(MustApply(MakeConfig(4)).applied.revision, 1u);  // it is in the kernel, so it applies
  EXPECT_EQ(engine_->GetRevision(1)->outcome, history::Outcome::kPending);
  EXPECT_THAT(engine_->GetStatus()->notices, ::testing::Contains(HasSubstr("disk gone")));

  const Outcome held = engine_->Apply(MakeRequest(MakeConfig(5)));
  EXPECT_EQ(held.kind, Kind::kFailed);
  EXPECT_EQ(kernel_.writes, 1);

  Sql("DROP TRIGGER t");
  EXPECT_EQ(MustApply(MakeConfig(5)).applied.revision, 2u);
  EXPECT_EQ(engine_->GetRevision(1)->outcome, history::Outcome::kApplied);
  EXPECT_TRUE(engine_->GetStatus()->notices.empty());
}

TEST_F(ApplyTest, EtagsNeverRepeat) {
  MustApply(MakeConfig(8));
  const std::string first = engine_->Get()->etag;
  MustApply(MakeConfig(9));
  MustApply(MakeConfig(8));  // the former state again, but another revision
  EXPECT_NE(engine_->Get()->etag, first);
}

TEST_F(ApplyTest, AnUnknownRevisionIsNotFound) {
  EXPECT_EQ(engine_->GetRevision(7).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ApplyTest, AfterUnsubscribingNothingIsTold) {
  int told = 0;
  const uint64_t id = engine_->Subscribe([&](const Event&) { ++told; });
  MustApply(MakeConfig(4));
  engine_->Unsubscribe(id);
  MustApply(MakeConfig(5));
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace evenkeel::engine
