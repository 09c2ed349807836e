// SPDX-License-Identifier: Apache-2.0
//
// A state directory that is full, read-only or damaged: packets go on, changes are refused with the
// reason and the remedy, and nothing that was done or refused is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/storage_fixture.h"

namespace evenkeel::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = engine::Outcome::Kind;

class FullDiskTest : public StorageFixture {
 protected:
  static auto NamesCauseAndRemedy() {
    return AllOf(HasSubstr("history.db"), HasSubstr("full"), HasSubstr("free space"));
  }
};

TEST_F(FullDiskTest, RefusesChangesUntilThereIsRoom) {
  const engine::Status before = Status();
  FillDisk();
  for (int i = 0; i < 3; ++i) {
    const engine::Outcome outcome = Apply(MakeConfig(10));
    ASSERT_EQ(outcome.kind, Kind::kFailed);
    EXPECT_THAT(std::string(outcome.status.message()), NamesCauseAndRemedy());
  }
  EXPECT_EQ(client_->RollBack({.reason = "a test"}).kind, Kind::kFailed);
  const engine::Status full = Status();
  EXPECT_EQ(full.applied.etag, before.applied.etag);
  EXPECT_EQ(full.kernel_digest, before.kernel_digest);
  EXPECT_EQ(client_->Get()->config, MakeConfig(9));
  ExpectForwarding();

  FreeDisk();
  const engine::Outcome outcome = Apply(MakeConfig(10));
  ASSERT_EQ(outcome.kind, Kind::kApplied) << outcome.status;
  EXPECT_EQ(outcome.applied.revision, 3u);  // what failed took no number
  EXPECT_TRUE(Status().digest_matches);
}

TEST_F(FullDiskTest, ARefusalIsRecordedWhenThereIsRoom) {
  FillDisk();
  ASSERT_EQ(Apply(MakeConfig(9, /*enabled=*/1)).kind, Kind::kRefused);
  EXPECT_THAT(Status().notices, Contains(NamesCauseAndRemedy()));
  EXPECT_EQ(client_->ListRevisions(1)->at(0).outcome, history::Outcome::kApplied);
  FreeDisk();
  EXPECT_TRUE(Await(
      [&] { return client_->ListRevisions(1)->at(0).outcome == history::Outcome::kRefused; }));
  EXPECT_THAT(Status().notices, Not(Contains(HasSubstr("recorded"))));
  ExpectForwarding();
}

// The window ends although that cannot be written down, and is recorded later.
TEST_F(FullDiskTest, AWindowEndsAllTheSame) {
  engine::Request request;
  request.change.config = MakeConfig(10);
  request.etag = client_->Get()->etag;
  request.reason = "a test";
  request.window.length = std::chrono::seconds(10);
  ASSERT_EQ(client_->Apply(request).kind, Kind::kApplied);
  FillDisk();
  ASSERT_TRUE(Await([&] { return client_->Get()->config == MakeConfig(9); }));
  ExpectForwarding();
  EXPECT_THAT(Status().notices, Contains(NamesCauseAndRemedy()));
  FreeDisk();
  ASSERT_TRUE(Await([&] { return client_->Get()->revision == 4; }));
  EXPECT_EQ(client_->GetRevision(3)->standing, history::Standing::kRolledBack);
  EXPECT_EQ(client_->GetRevision(4)->outcome, history::Outcome::kApplied);
}

// Whatever a start needs to write stands already, where the former daemon was killed.
TEST_F(FullDiskTest, AKilledDaemonStartsAgain) {
  FillDisk();
  End(SIGKILL);
  ExpectForwarding();
  Start();
  EXPECT_EQ(Status().applied.revision, 2u);
  const engine::Outcome outcome = Apply(MakeConfig(10));
  ASSERT_EQ(outcome.kind, Kind::kFailed);
  EXPECT_THAT(std::string(outcome.status.message()), NamesCauseAndRemedy());
  ExpectForwarding();
  FreeDisk();
  EXPECT_EQ(Apply(MakeConfig(10)).kind, Kind::kApplied);
}

TEST_F(FullDiskTest, OneThatEndedDoesNotAndSaysWhy) {
  End(SIGTERM);  // the log went with it
  FillDisk();
  const CommandResult result = RunToEnd(CommandLine());
  EXPECT_EQ(result.exit_code, 1) << result;
  EXPECT_THAT(result.err, AllOf(HasSubstr(DatabasePath()), HasSubstr("free space")));
  ExpectForwarding();
  FreeDisk();
  Start();
  EXPECT_EQ(Status().applied.revision, 2u);
  EXPECT_TRUE(Status().digest_matches);
}

class ReadOnlyDiskTest : public StorageFixture {};

TEST_F(ReadOnlyDiskTest, StopsTheStartNotThePackets) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    End(signal);
    MakeReadOnly(true);
    const CommandResult result = RunToEnd(CommandLine());
    EXPECT_EQ(result.exit_code, 1) << result;
    EXPECT_THAT(result.err, AllOf(HasSubstr(state_), HasSubstr("Read-only file system"),
                                  HasSubstr("writable")));
    ExpectForwarding();
    MakeReadOnly(false);
    Start();
    EXPECT_EQ(Status().applied.revision, 2u);
    EXPECT_TRUE(Status().digest_matches);
  }
}

struct Damage {
  const char* name;
  void (*spoil)(std::string* bytes);
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class DamagedDatabaseTest : public StorageFixture, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedDatabaseTest, IsLeftAloneAndPacketsGoOn) {
  const std::string etag = Status().applied.etag;
  End(SIGTERM);  // the log is in the database then
  const std::string good = ReadFile(DatabasePath());
  std::string bad = good;
  GetParam().spoil(&bad);
  ASSERT_NE(bad, good);
  WriteFile(DatabasePath(), bad);
  // With a file to begin with, too: a record that cannot be read is none that was never there.
  for (const Argv& flags : {Argv{}, Argv{"--config", Write("web.yaml", MakeYaml(8))}}) {
    const CommandResult result = RunToEnd(CommandLine(flags));
    EXPECT_EQ(result.exit_code, 1) << result;
    EXPECT_THAT(result.err, AllOf(HasSubstr("history " + DatabasePath()), HasSubstr("move "),
                                  HasSubstr("goes on forwarding"), HasSubstr("backup")));
    EXPECT_TRUE(ReadFile(DatabasePath()) == bad) << "the damaged file was changed";
    ExpectForwarding();
  }
  WriteFile(DatabasePath(), good);  // the backup
  Start();
  EXPECT_EQ(Status().applied.etag, etag);
  EXPECT_TRUE(Status().digest_matches);
  EXPECT_EQ(Apply(MakeConfig(10)).kind, Kind::kApplied);
}

constexpr size_t kPage = 4096;

INSTANTIATE_TEST_SUITE_P(
    By, DamagedDatabaseTest,
    ::testing::Values(Damage{"Header", [](std::string* b) { b->replace(0, 100, 100, 'x'); }},
                      Damage{"PagesInTheMiddle",
                             [](std::string* b) {
                               for (size_t at = kPage; at + kPage <= b->size(); at += 2 * kPage) {
                                 b->replace(at, kPage, kPage, '\xa5');
                               }
                             }},
                      Damage{"HalfOfItGone",
                             [](std::string* b) { b->resize(b->size() / kPage / 2 * kPage); }},
                      Damage{"CutWithinAPage", [](std::string* b) { b->resize(5000); }}),
    [](const auto& param) { return std::string(param.param.name); });

class LostLogTest : public StorageFixture {};

// What was only in the log is gone, which no database can tell. It says what it found, and the
// record and the kernel agree again.
TEST_F(LostLogTest, EndsInTheStateThatIsRecorded) {
  End(SIGTERM);
  Start();
  ASSERT_EQ(Apply(MakeConfig(10)).kind, Kind::kApplied);
  End(SIGKILL);
  for (const char* file : {"-wal", "-shm"}) std::filesystem::remove(DatabasePath() + file);
  Start();
  const engine::Status status = Status();
  EXPECT_EQ(status.applied.revision, 2u);
  EXPECT_THAT(status.adoption,
              AllOf(HasSubstr("kernel forwards with revision 3"),
                    HasSubstr("differs from the applied state"), HasSubstr("revision 2 restored")));
  EXPECT_TRUE(status.digest_matches);
  ExpectForwarding();
  EXPECT_EQ(Apply(MakeConfig(10)).kind, Kind::kApplied);
}

}  // namespace
}  // namespace evenkeel::testing
