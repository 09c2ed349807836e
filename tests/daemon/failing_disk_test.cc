// SPDX-License-Identifier: Apache-2.0
//
// A disk that fails from any write of a change on: the change is made or it is not, what could not
// be recorded is recorded later, and no change comes between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/daemon/step_fixture.h"
#include "tests/daemon/table_in_force.h"

namespace evenkeel::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = engine::Outcome::Kind;

struct Failure {
  const char* name;
  int error;
  std::string text, remedy;  // of the message
};
void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.name; }

class FailingDiskTest : public StepFixture, public ::testing::WithParamInterface<Failure> {
 protected:
  void ExpectNamed(const engine::Outcome& outcome) {
    ASSERT_EQ(outcome.kind, Kind::kFailed);
    EXPECT_THAT(
        std::string(outcome.status.message()),
        AllOf(HasSubstr("history.db"), HasSubstr(GetParam().text), HasSubstr(GetParam().remedy)));
  }
  // What the daemon says is in force is what packets meet.
  void ExpectInForce(const model::Config& config) {
    EXPECT_EQ(client_->Get()->config, config);
    EXPECT_TRUE(Status().digest_matches);
    const ScopedNetns::Entered inside(*netns_);
    EXPECT_FALSE(ServersOfFlows(pins_->path(), "192.0.2.10", 80).contains(0));
  }
};

TEST_P(FailingDiskTest, AtAnyStepOfAnApply) {
  const Change change = {.prepare = [this] { MustBring(MakeConfig(8)); },
                         .make = [this] { Apply(MakeConfig(9)); }};
  int failed = 0, applied = 0;
  const std::vector<Step> steps = OnFiles(StepsOf(change));
  for (const uint32_t step : ChooseFew(steps, /*only_files=*/true)) {
    SCOPED_TRACE(absl::StrCat("step ", step));
    change.prepare();
    steps_->FailFrom(step, GetParam().error);
    const engine::Outcome outcome = Apply(MakeConfig(9));
    if (outcome.kind == Kind::kApplied) {
      ++applied;
      ExpectInForce(MakeConfig(9));
    } else {
      ++failed;
      ExpectNamed(outcome);
      ExpectInForce(MakeConfig(8));
    }
    ExpectNamed(Apply(MakeConfig(10)));
    steps_->Disarm();
    EXPECT_EQ(Apply(MakeConfig(10)).kind, Kind::kApplied) << "the same change";
    EXPECT_THAT(Status().notices, Not(Contains(HasSubstr("recorded"))));
    if (HasFailure()) break;
  }
  EXPECT_GT(failed, 0) << Describe(steps);
  EXPECT_GT(applied, 0) << "no failure was between swap and outcome";
  ExpectWholeRecord();
}

// In force, not recorded, and the daemon killed before it could be.
TEST_P(FailingDiskTest, AndTheDaemonKilledBeforeTheOutcomeIsRecorded) {
  MustBring(MakeConfig(8));
  // The intent's sync is the last step on files before the swap.
  steps_->FailAfter({kSync}, GetParam().error);
  ASSERT_EQ(Apply(MakeConfig(9)).kind, Kind::kApplied);
  const engine::Status before = Status();
  EXPECT_THAT(before.notices,
              Contains(AllOf(HasSubstr("could not be recorded"), HasSubstr(GetParam().text))));
  End(SIGKILL);
  steps_->Disarm();
  Start();
  EXPECT_EQ(Status().applied.etag, before.applied.etag);
  EXPECT_THAT(Status().adoption, HasSubstr("the kernel has it, recorded as applied"));
  ExpectInForce(MakeConfig(9));
  ExpectWholeRecord();
}

INSTANTIATE_TEST_SUITE_P(
    With, FailingDiskTest,
    ::testing::Values(Failure{"NoSpace", ENOSPC, "full", "free space"},
                      Failure{"NoQuota", EDQUOT, "Disk quota exceeded", "free space"},
                      Failure{"ReadOnly", EROFS, "Read-only file system", "writable"},
                      Failure{"InputOutput", EIO, "Input/output error", "kernel's log"}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace evenkeel::testing
