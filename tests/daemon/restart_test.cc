// SPDX-License-Identifier: Apache-2.0
//
// Ended, killed, started again: packets have what they had, and the next daemon knows it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "tests/daemon/daemon_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = engine::Outcome::Kind;

class RestartTest : public DaemonFixture, public ::testing::WithParamInterface<int> {};

TEST_P(RestartTest, AdoptsWhatItFinds) {
  const Argv flags = {"--config", Write("web.yaml", MakeYaml(4))};
  Start(flags);
  ASSERT_EQ(Apply(MakeConfig(5)).kind, Kind::kApplied);
  const engine::Status before = Status();
  const auto pinned = std::filesystem::last_write_time(pins_->path() + "/balancer");
  End(GetParam());
  EXPECT_TRUE(IsPinned("balancer"));

  Start(flags);
  const engine::Status after = Status();
  EXPECT_EQ(after.applied.revision, 2u);
  EXPECT_EQ(after.applied.etag, before.applied.etag);
  EXPECT_EQ(after.kernel_digest, before.kernel_digest);
  EXPECT_TRUE(after.digest_matches);
  EXPECT_TRUE(after.interfaces[0].adopted);
  EXPECT_FALSE(after.adoption.empty());
  EXPECT_EQ(std::filesystem::last_write_time(pins_->path() + "/balancer"), pinned);
  EXPECT_EQ(client_->Get()->config, MakeConfig(5));
  EXPECT_EQ(client_->ListRevisions(10)->size(), 2u);  // the restart is no revision
  // The file is of the first start; the state applied later wins, and that is said.
  EXPECT_THAT(after.notices, Contains(HasSubstr("differs from revision 2")));
  ASSERT_EQ(Apply(MakeConfig(6)).kind, Kind::kApplied);
}

INSTANTIATE_TEST_SUITE_P(AfterSignal, RestartTest, ::testing::Values(SIGTERM, SIGKILL),
                         [](const auto& param) {
                           return param.param == SIGKILL ? std::string("Kill") : "Term";
                         });

class CrashTest : public DaemonFixture {};

TEST_F(CrashTest, KilledAtAnyMomentOfAnApplyTheRecordFitsTheKernel) {
  Start({"--config", Write("web.yaml", MakeYaml(8))});
  std::minstd_rand random(4711);
  for (int round = 0; round < 8; ++round) {
    std::atomic<bool> stop = false;
    std::thread applier([&] {
      for (int i = 0; !stop; ++i) Apply(MakeConfig(8 + i % 2));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 60));
    End(SIGKILL);
    stop = true;
    applier.join();
    Start();
    const engine::Status status = Status();
    EXPECT_TRUE(status.digest_matches) << status.adoption;
    const auto revisions = *client_->ListRevisions(1000);
    for (const history::Revision& revision : revisions) {
      EXPECT_NE(revision.outcome, history::Outcome::kPending) << revision.number;
    }
    EXPECT_EQ(client_->GetRevision(status.applied.revision)->digest, status.kernel_digest);
  }
}

TEST_F(CrashTest, AfterARebootTheLastStateComesBack) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  ASSERT_EQ(Apply(MakeConfig(5)).kind, Kind::kApplied);
  const std::string digest = Status().kernel_digest;
  End(SIGKILL);
  pins_ = std::make_unique<ScopedPinDir>();  // what a reboot does to the kernel's side
  netns_ = std::make_unique<ScopedNetns>();
  netns_->Run(
      "ip link add ek0 type veth peer name ek1 && ip link set ek0 up && ip link set ek1 up && "
      "ip address add 10.9.0.1/24 dev ek0");
  Start();
  EXPECT_EQ(Status().kernel_digest, digest);
  EXPECT_EQ(Status().applied.revision, 2u);
  EXPECT_THAT(Status().adoption, HasSubstr("revision 2 restored"));
  EXPECT_FALSE(Status().interfaces[0].adopted);
}

TEST_F(CrashTest, HangupComparesTheFileAgain) {
  const std::string file = Write("web.yaml", MakeYaml(4));
  Start({"--config", file});
  EXPECT_THAT(Status().notices, IsEmpty());
  Write("web.yaml", MakeYaml(5));
  daemon_->Signal(SIGHUP);
  for (int i = 0; i < 100 && Status().notices.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(Status().notices, Contains(HasSubstr("evenkeel apply -f " + file)));
  EXPECT_EQ(Status().applied.revision, 1u);
  Write("web.yaml", MakeYaml(4));
  daemon_->Signal(SIGHUP);
  for (int i = 0; i < 100 && !Status().notices.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(Status().notices, IsEmpty());
}

TEST_F(CrashTest, ARefusalChangesNoByteAndIsRecorded) {
  Start({"--config", Write("web.yaml", MakeYaml(4))});
  const std::string digest = Status().kernel_digest;
  const engine::Outcome outcome = Apply(MakeConfig(4, /*enabled=*/1));
  ASSERT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_GE(outcome.verdict.violations.size(), 2u);
  EXPECT_EQ(Status().kernel_digest, digest);
  EXPECT_EQ(client_->ListRevisions(1)->at(0).outcome, history::Outcome::kRefused);
  End(SIGKILL);
  Start();
  EXPECT_EQ(client_->ListRevisions(1)->at(0).outcome, history::Outcome::kRefused);
}

}  // namespace
}  // namespace evenkeel::testing
