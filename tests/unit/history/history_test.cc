// SPDX-License-Identifier: Apache-2.0
#include "control/history/history.h"

#include "control/history/config_store.h"
#include "control/history/schema.h"
#include "tests/unit/history/history_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace evenkeel::history {
namespace {

using ::testing::HasSubstr;

TEST_F(HistoryTest, MakesDirectoryAndDatabaseWithTheirModes) {
  MustOpen();
  struct stat info {};
  ASSERT_EQ(::stat(dir_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0750u);
  ASSERT_EQ(::stat(db_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
}

TEST_F(HistoryTest, KeepsAnExistingDirectorysMode) {
  std::filesystem::create_directory(dir_);
  ASSERT_EQ(::chmod(dir_.c_str(), 0700), 0);
  MustOpen();
  struct stat info {};
  ASSERT_EQ(::stat(dir_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
}

TEST_F(HistoryTest, GivesBackEveryFieldAfterReopening) {
  const Revision written = MakeRevision("grow the pool", 42);
  {
    auto history = MustOpen();
    auto number = history->Begin(written);
    ASSERT_TRUE(number.ok()) << number.status();
    EXPECT_EQ(*number, 1u);
    ASSERT_TRUE(history->Finish(*number, Outcome::kApplied, "").ok());
  }
  auto last = MustOpen()->LastApplied();
  ASSERT_TRUE(last.ok() && last->has_value()) << last.status();
  EXPECT_EQ((*last)->number, 1u);
  EXPECT_EQ((*last)->author, written.author);
  EXPECT_EQ((*last)->reason, written.reason);
  EXPECT_EQ((*last)->source, written.source);
  EXPECT_EQ((*last)->created_unix_ns, 42);
  EXPECT_EQ((*last)->outcome, Outcome::kApplied);
  EXPECT_EQ((*last)->digest, written.digest);
  EXPECT_EQ((*last)->config_yaml, written.config_yaml);
  EXPECT_EQ((*last)->verdict_json, written.verdict_json);
  EXPECT_EQ((*last)->error, "");
}

TEST_F(HistoryTest, OnlyAppliedRevisionsAreLastApplied) {
  auto history = MustOpen();
  EXPECT_FALSE(history->LastApplied()->has_value());
  ASSERT_EQ(*history->Begin(MakeRevision("one")), 1u);
  ASSERT_TRUE(history->Finish(1, Outcome::kApplied, "").ok());
  ASSERT_EQ(*history->Begin(MakeRevision("two")), 2u);
  ASSERT_TRUE(history->Finish(2, Outcome::kFailed, "no memory").ok());
  ASSERT_EQ(*history->Begin(MakeRevision("three")), 3u);
  EXPECT_EQ((*history->LastApplied())->number, 1u);
  EXPECT_EQ((*history->Get(2))->error, "no memory");
  EXPECT_EQ((*history->Get(2))->outcome, Outcome::kFailed);
  const auto pending = *history->Pending();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].number, 3u);
  EXPECT_FALSE(history->Get(4)->has_value());
}

TEST_F(HistoryTest, ARevisionEndsOnce) {
  auto history = MustOpen();
  ASSERT_EQ(*history->Begin(MakeRevision("one")), 1u);
  EXPECT_EQ(history->Finish(1, Outcome::kPending, "").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(history->Finish(1, Outcome::kRefused, "").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(history->Finish(1, Outcome::kFailed, "x").ok());
  EXPECT_EQ(history->Finish(1, Outcome::kApplied, "").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(history->Finish(9, Outcome::kApplied, "").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ((*history->Get(1))->outcome, Outcome::kFailed);
}

TEST_F(HistoryTest, RefusalsTakeNoNumberAndStandInTheList) {
  auto history = MustOpen();
  ASSERT_EQ(*history->Begin(MakeRevision("one", 10)), 1u);
  Revision refusal = MakeRevision("all to one", 20);
  refusal.error = "LB001 backend-share";
  ASSERT_TRUE(history->RecordRefusal(refusal).ok());
  ASSERT_EQ(*history->Begin(MakeRevision("two", 30)), 2u);
  const auto list = *history->List(10);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].number, 2u);
  EXPECT_EQ(list[1].number, 0u);
  EXPECT_EQ(list[1].outcome, Outcome::kRefused);
  EXPECT_EQ(list[1].error, "LB001 backend-share");
  EXPECT_EQ(list[2].number, 1u);
  EXPECT_EQ(history->List(2)->size(), 2u);
}

TEST_F(HistoryTest, StoresWhatTwoRevisionsShareOnce) {
  auto history = MustOpen();
  Revision revision = MakeRevision("one");
  const std::string big(100'000, 'x');
  revision.config_yaml = "pools:\n  - name: a\n    # " + big + "\n  - name: b\n    weight: ";
  for (int i = 0; i < 50; ++i) {
    Revision next = revision;
    next.config_yaml += std::to_string(i) + "\n";
    ASSERT_TRUE(history->Begin(next).ok());
  }
  EXPECT_EQ((*history->Get(50))->config_yaml, revision.config_yaml + "49\n");
  history.reset();
  EXPECT_LT(std::filesystem::file_size(db_path()), 3 * big.size());
}

TEST(CutIntoPiecesTest, ListsOfPrefixesShareAllButWhereTheyDiffer) {
  std::string before = "source_rules:\n  - name: edge\n    deny:\n";
  for (int i = 0; i < 20000; ++i) {
    before += "      - 10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24\n";
  }
  std::string after = before;
  const size_t at = after.find("      - 10.40.7.0/24\n");
  ASSERT_NE(at, std::string::npos);
  after.erase(at, after.find('\n', at) + 1 - at);
  const std::vector<std::string_view> a = CutIntoPieces(before), b = CutIntoPieces(after);
  EXPECT_GT(a.size(), 30u);
  EXPECT_LT(a.size(), 300u);
  std::string joined;
  for (const std::string_view piece : b) joined += piece;
  EXPECT_EQ(joined, after);
  const std::set<std::string_view> known(a.begin(), a.end());
  size_t fresh = 0;
  for (const std::string_view piece : b) fresh += !known.contains(piece);
  EXPECT_LE(fresh, 1u);
}

TEST_F(HistoryTest, TextWithZerosAndQuotesSurvives) {
  auto history = MustOpen();
  Revision revision = MakeRevision("it's; DROP TABLE revisions; --");
  revision.error = "";
  revision.config_yaml = std::string("a\0b\n- c", 7);
  ASSERT_TRUE(history->Begin(revision).ok());
  EXPECT_EQ((*history->Get(1))->reason, revision.reason);
  EXPECT_EQ((*history->Get(1))->config_yaml, revision.config_yaml);
}

TEST_F(HistoryTest, ADatabaseThatIsNoneIsDataLossWithARemedy) {
  std::filesystem::create_directory(dir_);
  std::ofstream(db_path()) << std::string(8192, 'x');
  const auto history = History::Open(dir_);
  EXPECT_EQ(history.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(history.status().message()), HasSubstr(db_path()));
  EXPECT_THAT(std::string(history.status().message()), HasSubstr("goes on forwarding"));
}

TEST_F(HistoryTest, DamagedPagesAreDataLoss) {
  {
    auto history = MustOpen();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(history->Begin(MakeRevision("r" + std::to_string(i))).ok());
    }
  }
  {
    std::fstream file(db_path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto size = std::filesystem::file_size(db_path());
    const std::string junk(4096, '\xa5');
    for (size_t at = 4096; at + junk.size() <= size; at += junk.size()) {
      file.seekp(static_cast<std::streamoff>(at));
      file.write(junk.data(), static_cast<std::streamsize>(junk.size()));
    }
  }
  EXPECT_EQ(History::Open(dir_).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(HistoryTest, AnInspectionTellsWholeFromDamagedAndAbsent) {
  EXPECT_EQ(History::Inspect(dir_).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(MustOpen()->Begin(MakeRevision("one")).ok());
  EXPECT_TRUE(History::Inspect(dir_).ok()) << History::Inspect(dir_);
  auto open = MustOpen();
  EXPECT_TRUE(History::Inspect(dir_).ok()) << "also while a daemon has it";
  EXPECT_TRUE(open->Check().ok()) << open->Check();
  open = nullptr;
  std::ofstream(db_path()) << std::string(8192, 'x');
  EXPECT_EQ(History::Inspect(dir_).code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(History::Inspect(dir_).message()), HasSubstr("move "));
}

HealthChange Health(int64_t at, const std::string& server, uint16_t permille) {
  return {.unix_ns = at,
          .pool = "web",
          .server = server,
          .backend = "b-" + server,
          .permille = permille,
          .cause = "3 probes failed"};
}

TEST_F(HistoryTest, WhoIsOutIsTheLastThatWasSaid) {
  auto history = MustOpen();
  EXPECT_THAT(*history->Reduced(), ::testing::IsEmpty());
  ASSERT_TRUE(history->RecordHealth({Health(10, "10.0.0.1", 0), Health(11, "10.0.0.2", 0)}).ok());
  ASSERT_TRUE(history->RecordHealth({Health(12, "10.0.0.1", 1000)}).ok());
  history = nullptr;
  history = MustOpen();
  const auto out = *history->Reduced();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].server, "10.0.0.2");
  EXPECT_EQ(out[0].pool, "web");
  EXPECT_EQ(out[0].backend, "b-10.0.0.2");
  EXPECT_EQ(out[0].unix_ns, 11);
  EXPECT_EQ(out[0].cause, "3 probes failed");
  const auto list = *history->ListHealth(2);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].permille, 1000);
  EXPECT_EQ(history->ListHealth(10, 11)->size(), 1u);
  EXPECT_EQ(history->ListHealth(10, 0, "web")->size(), 3u);
  EXPECT_TRUE(history->ListHealth(10, 0, "api")->empty());
}

TEST_F(HistoryTest, WhoComesBackStepByStepIsKnown) {
  auto history = MustOpen();
  ASSERT_TRUE(history->RecordHealth({Health(10, "10.0.0.1", 0)}).ok());
  ASSERT_TRUE(history->RecordHealth({Health(11, "10.0.0.1", 250)}).ok());
  ASSERT_EQ(history->Reduced()->size(), 1u);
  EXPECT_EQ(history->Reduced()->front().permille, 250);
  EXPECT_FALSE(history->RecordHealth({Health(12, "10.0.0.1", 1001)}).ok());
  ASSERT_TRUE(history->RecordHealth({Health(12, "10.0.0.1", 1000)}).ok());
  EXPECT_THAT(*history->Reduced(), ::testing::IsEmpty());
}

TEST_F(HistoryTest, WhoWentAndCameIsToldWithoutTheStepsInTheOrderOfTheRecord) {
  auto history = MustOpen();
  ASSERT_TRUE(history
                  ->RecordHealth({Health(10, "10.0.0.1", 0), Health(20, "10.0.0.1", 100),
                                  Health(21, "10.0.0.2", 0), Health(22, "10.0.0.1", 200),
                                  Health(23, "10.0.0.1", 1000), Health(15, "10.0.0.1", 0),
                                  Health(24, "10.0.0.3", 500)})
                  .ok());
  const auto moves = [&](int64_t since) {
    std::vector<std::string> texts;
    const auto found = *history->HealthMovesSince(since);
    for (const HealthChange& move : found) {
      texts.push_back(absl::StrCat(move.unix_ns, " ", move.server, " ", move.permille));
    }
    return texts;
  };
  EXPECT_THAT(moves(0), ::testing::ElementsAre("10 10.0.0.1 0", "20 10.0.0.1 100", "21 10.0.0.2 0",
                                               "15 10.0.0.1 0"));
  EXPECT_THAT(moves(11), ::testing::ElementsAre("21 10.0.0.2 0", "15 10.0.0.1 0"))
      << "a return without the way out";
  EXPECT_THAT(moves(22), ::testing::IsEmpty());
}

TEST_F(HistoryTest, WhoIsOutByTheFourthSchemaIsOut) {
  MustOpen();
  Sql("DROP TABLE withdrawals;"
      "DROP TABLE health_changes; CREATE TABLE health_changes (id INTEGER PRIMARY KEY "
      "AUTOINCREMENT, unix_ns INTEGER NOT NULL, pool TEXT NOT NULL, server TEXT NOT NULL, backend "
      "TEXT NOT NULL, out INTEGER NOT NULL CHECK (out BETWEEN 0 AND 1), cause TEXT NOT NULL) "
      "STRICT; CREATE INDEX health_changes_by_server ON health_changes (pool, server, id); CREATE "
      "INDEX health_changes_by_time ON health_changes (unix_ns); PRAGMA user_version = 4;"
      "INSERT INTO health_changes VALUES (1, 10, 'web', '10.0.0.1', 'b-1', 1, 'failed'),"
      "(2, 11, 'web', '10.0.0.2', 'b-2', 1, 'failed'), (3, 12, 'web', '10.0.0.2', 'b-2', 0, 'up')");
  const auto history = MustOpen();
  ASSERT_EQ(history->Reduced()->size(), 1u);
  EXPECT_EQ(history->Reduced()->front().server, "10.0.0.1");
  EXPECT_EQ(history->Reduced()->front().permille, 0);
  EXPECT_EQ(history->ListHealth(10)->front().permille, 1000);
}

TEST_F(HistoryTest, WhatIsOldGoesButWhoIsOutIsKept) {
  auto history = MustOpen();
  ASSERT_TRUE(history
                  ->RecordHealth({Health(10, "10.0.0.1", 0), Health(11, "10.0.0.1", 1000),
                                  Health(12, "10.0.0.2", 0), Health(90, "10.0.0.3", 0)})
                  .ok());
  ASSERT_TRUE(history->Prune(50).ok());
  EXPECT_EQ(history->ListHealth(10)->size(), 3u);
  EXPECT_EQ(history->Reduced()->size(), 2u);
}

TEST_F(HistoryTest, ANewerSchemaIsLeftAlone) {
  MustOpen();
  Sql("PRAGMA user_version = 999");
  const auto history = History::Open(dir_);
  EXPECT_EQ(history.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(history.status().message()), HasSubstr("999"));
  Sql("PRAGMA user_version = " + std::to_string(SchemaVersion()));
  EXPECT_TRUE(History::Open(dir_).ok());
}

TEST_F(HistoryTest, AnotherProgramsDatabaseIsLeftAlone) {
  std::filesystem::create_directory(dir_);
  Sql("CREATE TABLE theirs (x)");
  const auto history = History::Open(dir_);
  EXPECT_EQ(history.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(history.status().message()), HasSubstr("another program"));
  Sql("INSERT INTO theirs VALUES (1)");
}

TEST_F(HistoryTest, AStateDirectoryThatIsAFileNamesTheFlag) {
  std::ofstream(dir_) << "file";
  const auto history = History::Open(dir_);
  EXPECT_FALSE(history.ok());
  EXPECT_THAT(std::string(history.status().message()), HasSubstr(dir_));
}

TEST_F(HistoryTest, AFailedWriteIsNamedAndReadsGoOn) {
  auto history = MustOpen();
  ASSERT_TRUE(history->Begin(MakeRevision("one")).ok());
  Sql("CREATE TRIGGER full BEFORE INSERT ON revisions BEGIN SELECT RAISE(ABORT, 'disk gone'); END");
  const auto number = history->Begin(MakeRevision("two"));
  ASSERT_FALSE(number.ok());
  EXPECT_THAT(std::string(number.status().message()), HasSubstr("disk gone"));
  EXPECT_EQ((*history->Get(1))->reason, "one");
  Sql("DROP TRIGGER full");
  EXPECT_EQ(*history->Begin(MakeRevision("two")), 2u);
}

TEST_F(HistoryTest, AFailedWriteLeavesNoTrace) {
  auto history = MustOpen();
  Sql("CREATE TRIGGER full BEFORE INSERT ON revisions BEGIN SELECT RAISE(ABORT, 'no'); END");
  ASSERT_FALSE(history->Begin(MakeRevision("two")).ok());
  Sql("DROP TRIGGER full");
  ASSERT_EQ(*history->Begin(MakeRevision("three")), 1u);
  EXPECT_EQ(history->List(10)->size(), 1u);
}

// What SQLite calls an I/O error is told in the system's words.
TEST_F(HistoryTest, TheSystemsReasonIsNamed) {
  auto history = MustOpen();
  rlimit former{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &former), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 4096, .rlim_max = former.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto number = history->Begin(MakeRevision("big"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &former), 0);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(number.ok());
  EXPECT_THAT(std::string(number.status().message()), HasSubstr("File too large"));
  EXPECT_THAT(std::string(number.status().message()), HasSubstr(db_path()));
  EXPECT_EQ(*history->Begin(MakeRevision("again")), 1u);
}

// A small file system for the state directory, in a mount namespace of this process.
class SmallFileSystemTest : public HistoryTest {
 protected:
  void SetUp() override {
    HistoryTest::SetUp();
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      ASSERT_EQ(std::getenv("EVENKEEL_REQUIRE_KERNEL"), nullptr) << "needs root for a mount";
      GTEST_SKIP() << "needs root for a mount namespace";
    }
    std::filesystem::create_directory(dir_);
    ASSERT_EQ(::mount("none", dir_.c_str(), "tmpfs", 0, "size=256k"), 0);
  }
  void TearDown() override {
    ::umount2(dir_.c_str(), MNT_DETACH);
    HistoryTest::TearDown();
  }
};

TEST_F(SmallFileSystemTest, AFullDiskIsResourceExhausted) {
  auto history = MustOpen();
  Revision big = MakeRevision("big");
  big.config_yaml = std::string(1 << 20, 'x');
  const auto number = history->Begin(big);
  EXPECT_EQ(number.status().code(), absl::StatusCode::kResourceExhausted) << number.status();
  EXPECT_THAT(std::string(number.status().message()), HasSubstr("free space"));
  EXPECT_TRUE(history->Begin(MakeRevision("small")).ok());
}

TEST_F(SmallFileSystemTest, ACheckFindsAFullDisk) {
  auto history = MustOpen();
  ASSERT_TRUE(history->Begin(MakeRevision("one")).ok());
  EXPECT_TRUE(history->Check().ok()) << history->Check();
  std::ofstream(dir_ + "/filler") << std::string(1 << 20, 'x');
  EXPECT_EQ(history->Check().code(), absl::StatusCode::kResourceExhausted) << history->Check();
  std::filesystem::remove(dir_ + "/filler");
  EXPECT_TRUE(history->Check().ok()) << history->Check();
  EXPECT_EQ((*history->Get(1))->reason, "one");
}

TEST_F(SmallFileSystemTest, AReadOnlyFileSystemIsPermissionDenied) {
  ASSERT_TRUE(MustOpen()->Begin(MakeRevision("one")).ok());
  ASSERT_EQ(::mount("none", dir_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const auto history = History::Open(dir_);
  EXPECT_EQ(history.status().code(), absl::StatusCode::kPermissionDenied) << history.status();
  EXPECT_THAT(std::string(history.status().message()), HasSubstr(dir_));
  EXPECT_THAT(std::string(history.status().message()), HasSubstr("writable"));
}

TEST_F(HistoryTest, ThreadsGetNumbersOfTheirOwn) {
  auto history = MustOpen();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto number = history->Begin(MakeRevision("r"));
        ASSERT_TRUE(number.ok()) << number.status();
        EXPECT_TRUE(history->Finish(*number, Outcome::kApplied, "").ok());
        EXPECT_TRUE(history->List(5).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ((*history->LastApplied())->number, 40u);
}

}  // namespace
}  // namespace evenkeel::history
