// SPDX-License-Identifier: Apache-2.0
//
// What a daemon finds, decides and says at its start, at every point where the one before may have
// ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StartupTest : public EngineFixture {
 protected:
  // What a daemon leaves that ends between Begin and Finish.
  uint64_t LeavePending(const model::Config& config) {
    history::Revision revision;
    revision.author = "uid 0 (root)";
    revision.reason = "cut off";
    revision.source = "api";
    revision.created_unix_ns = ++now_ns_;
    revision.digest = Build(config)->digest.ToHex();
    revision.config_yaml = model::ToYaml(config);
    return *history_->Begin(revision);
  }
};

TEST_F(StartupTest, WithNothingItPublishesNothingAndSaysSo) {
  const StartReport report = MustStart();
  EXPECT_EQ(report.revision, 0u);
  EXPECT_FALSE(report.wrote);
  EXPECT_THAT(report.adoption, HasSubstr("nothing is published"));
  EXPECT_EQ(kernel_.writes, 0);
  EXPECT_EQ(engine_->Get()->etag, "r0");
  EXPECT_THAT(engine_->GetStatus()->notices, Contains(HasSubstr("evenkeel apply -f")));
  MustApply(MakeConfig(4));
  EXPECT_THAT(engine_->GetStatus()->notices, IsEmpty());
}

TEST_F(StartupTest, TheFirstFileIsRevisionOne) {
  const Bootstrap bootstrap{.config = MakeConfig(4), .path = "/etc/evenkeel/evenkeel.yaml"};
  const StartReport report = MustStart(&bootstrap);
  EXPECT_EQ(report.revision, 1u);
  EXPECT_TRUE(report.wrote);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_EQ(engine_->GetRevision(1)->source, "bootstrap");
  EXPECT_EQ(engine_->GetRevision(1)->outcome, history::Outcome::kApplied);
}

TEST_F(StartupTest, ARefusedFirstFileTouchesNothing) {
  const Bootstrap bootstrap{.config = MakeConfig(1), .path = "f.yaml"};
  kernel_.Force(Build(MakeConfig(4)), 9);
  const StartReport report = MustStart(&bootstrap);
  ASSERT_TRUE(report.rejected_bootstrap.has_value());
  EXPECT_TRUE(report.rejected_bootstrap->verdict.refused());
  EXPECT_EQ(kernel_.writes, 0);
  EXPECT_EQ(kernel_.adoptions, 0);
  EXPECT_THAT(*history_->List(10), IsEmpty());
}

TEST_F(StartupTest, DeltaRulesDoNotApplyToTheFirstFile) {
  // Another state runs, of which nobody knows; the file would remove nearly all of it.
  kernel_.Force(Build(MakeConfig(40)), 9);
  const Bootstrap bootstrap{.config = MakeConfig(4), .path = "f.yaml"};
  EXPECT_EQ(MustStart(&bootstrap).revision, 1u);
  EXPECT_EQ(kernel_.ReadKernelState()->digest, Build(MakeConfig(4))->digest);
}

TEST_F(StartupTest, AFirstFileThatTheKernelAlreadyHasIsOnlyRecorded) {
  kernel_.Force(Build(MakeConfig(4)), 9);
  const Bootstrap bootstrap{.config = MakeConfig(4), .path = "f.yaml"};
  const StartReport report = MustStart(&bootstrap);
  EXPECT_EQ(report.revision, 1u);
  EXPECT_FALSE(report.wrote);
  EXPECT_EQ(kernel_.writes, 0);
  MustApply(MakeConfig(5));
}

TEST_F(StartupTest, AFailedFirstPublishIsAnErrorAndRecorded) {
  kernel_.publish_error = absl::InternalError("no memory");
  const Bootstrap bootstrap{.config = MakeConfig(4), .path = "f.yaml"};
  EXPECT_EQ(engine_->Start(&bootstrap).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ((*history_->Get(1))->outcome, history::Outcome::kFailed);
  kernel_.publish_error = absl::OkStatus();
  StartDaemon();
  EXPECT_EQ(MustStart(&bootstrap).revision, 2u);
}

TEST_F(StartupTest, ARestartAdoptsWithoutWriting) {
  MustStart();
  MustApply(MakeConfig(4));
  const std::string etag = engine_->Get()->etag;
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_EQ(report.revision, 1u);
  EXPECT_FALSE(report.wrote);
  EXPECT_EQ(kernel_.writes, 1);
  EXPECT_EQ(engine_->Get()->etag, etag);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_EQ(engine_->Get()->author, "uid 1000 (alice)");
  EXPECT_TRUE(engine_->GetStatus()->digest_matches);
  EXPECT_THAT(engine_->GetStatus()->adoption, HasSubstr("matches"));
  MustApply(MakeConfig(5));
}

TEST_F(StartupTest, AfterARebootTheLastStateComesBack) {
  MustStart();
  MustApply(MakeConfig(4));
  kernel_.Force(nullptr, 0);
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_TRUE(report.wrote);
  EXPECT_EQ(kernel_.restores, 1);
  EXPECT_EQ(kernel_.ReadKernelState()->digest, Build(MakeConfig(4))->digest);
  EXPECT_THAT(report.adoption, HasSubstr("revision 1 restored"));
}

TEST_F(StartupTest, AKernelThatDiffersIsBroughtBack) {
  MustStart();
  MustApply(MakeConfig(4));
  kernel_.Force(Build(MakeConfig(7)), 3);
  StartDaemon();
  EXPECT_TRUE(MustStart().wrote);
  EXPECT_EQ(kernel_.ReadKernelState()->digest, Build(MakeConfig(4))->digest);
}

TEST_F(StartupTest, TheRecordedStateWinsOverTheFile) {
  MustStart();
  MustApply(MakeConfig(4));
  StartDaemon();
  const Bootstrap bootstrap{.config = MakeConfig(6), .path = "/etc/f.yaml"};
  MustStart(&bootstrap);
  engine_->CompareFile("/etc/f.yaml", &bootstrap.config, "");
  EXPECT_EQ(engine_->Get()->config, MakeConfig(4));
  EXPECT_THAT(engine_->GetStatus()->notices, Contains(HasSubstr("evenkeel apply -f /etc/f.yaml")));
  const model::Config same = MakeConfig(4);
  engine_->CompareFile("/etc/f.yaml", &same, "");
  EXPECT_THAT(engine_->GetStatus()->notices, IsEmpty());
  engine_->CompareFile("/etc/f.yaml", nullptr, "line 3: unknown key");
  EXPECT_THAT(engine_->GetStatus()->notices, Contains(HasSubstr("line 3: unknown key")));
}

TEST_F(StartupTest, EndedBeforeTheSwapIsFailed) {
  MustStart();
  MustApply(MakeConfig(4));
  LeavePending(MakeConfig(5));
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_EQ(report.revision, 1u);
  EXPECT_FALSE(report.wrote);
  EXPECT_EQ((*history_->Get(2))->outcome, history::Outcome::kFailed);
  EXPECT_THAT(report.adoption, HasSubstr("recorded as failed"));
}

TEST_F(StartupTest, EndedAfterTheSwapIsApplied) {
  MustStart();
  MustApply(MakeConfig(4));
  LeavePending(MakeConfig(5));
  kernel_.Force(Build(MakeConfig(5)), 2);
  StartDaemon();
  const StartReport report = MustStart();
  EXPECT_EQ(report.revision, 2u);
  EXPECT_FALSE(report.wrote);
  EXPECT_EQ((*history_->Get(2))->outcome, history::Outcome::kApplied);
  EXPECT_EQ(engine_->Get()->config, MakeConfig(5));
  EXPECT_THAT(report.adoption, HasSubstr("recorded as applied"));
}

// A health check is not in the digest: only the revision that the kernel notes tells the two apart.
TEST_F(StartupTest, OfEqualDigestsTheRevisionInTheKernelDecides) {
  MustStart();
  MustApply(MakeConfig(4));
  model::Config checked = MakeConfig(4);
  checked.pools[0].health_check.emplace();
  LeavePending(checked);
  StartDaemon();
  EXPECT_EQ(MustStart().revision, 1u);
  EXPECT_EQ((*history_->Get(2))->outcome, history::Outcome::kFailed);
  LeavePending(checked);
  kernel_.Force(Build(checked), 3);
  StartDaemon();
  EXPECT_EQ(MustStart().revision, 3u);
  EXPECT_EQ((*history_->Get(3))->outcome, history::Outcome::kApplied);
}

TEST_F(StartupTest, EndedDuringTheFirstApplyOfAll) {
  MustStart();
  LeavePending(MakeConfig(4));
  StartDaemon();
  EXPECT_EQ(MustStart().revision, 0u);
  EXPECT_EQ((*history_->Get(1))->outcome, history::Outcome::kFailed);
  EXPECT_TRUE(history_->Pending()->empty());
}

TEST_F(StartupTest, AStateThatTheHistoryDoesNotKnowStays) {
  kernel_.Force(Build(MakeConfig(4)), 9);
  const StartReport report = MustStart();
  EXPECT_EQ(report.revision, 0u);
  EXPECT_EQ(kernel_.writes, 0);
  EXPECT_THAT(engine_->GetStatus()->notices, Contains(HasSubstr("revision 9")));
  MustApply(MakeConfig(5));
}

TEST_F(StartupTest, ARecordedStateThatTheGuardNowRefusesLeavesTheKernelAsItIs) {
  MustStart();
  MustApply(MakeConfig(4));
  kernel_.Force(nullptr, 0);
  StartDaemon();
  // The host took over a backend's address meanwhile (LB009).
  facts_ = [] { return guard::Facts{.own_addresses = {*model::IpAddress::Parse("10.0.1.1")}}; };
  const StartReport report = MustStart();
  EXPECT_FALSE(report.wrote);
  EXPECT_EQ(kernel_.writes, 1);
  EXPECT_THAT(report.adoption, HasSubstr("LB009"));
  EXPECT_THAT(engine_->GetStatus()->notices, Contains(HasSubstr("LB009")));
  EXPECT_EQ(engine_->Get()->revision, 1u);
}

TEST_F(StartupTest, AnotherHashKeyIsNoticed) {
  MustStart();
  MustApply(MakeConfig(4));
  Sql("UPDATE revisions SET digest = 'ffff'");
  StartDaemon();
  MustStart();
  EXPECT_THAT(engine_->GetStatus()->notices, Contains(HasSubstr("hash key")));
}

TEST_F(StartupTest, ARecordThatDoesNotParseIsAnError) {
  MustStart();
  MustApply(MakeConfig(4));
  Sql("UPDATE config_pieces SET text = 'nonsense: ['");
  StartDaemon();
  const auto report = engine_->Start(nullptr);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(kernel_.writes, 1);
}

}  // namespace
}  // namespace evenkeel::engine
