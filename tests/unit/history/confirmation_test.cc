// SPDX-License-Identifier: Apache-2.0
//
// How an applied revision stands: confirmed, awaited, rolled back, known as good.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/history/history_fixture.h"

namespace evenkeel::history {
namespace {

using ::testing::ElementsAre;

class ConfirmationTest : public HistoryTest {
 protected:
  void SetUp() override {
    HistoryTest::SetUp();
    history_ = MustOpen();
  }
  // An applied revision.
  uint64_t Apply(Revision revision) {
    const auto number = history_->Begin(revision);
    EXPECT_TRUE(number.ok()) << number.status();
    EXPECT_TRUE(history_->Finish(*number, Outcome::kApplied, "").ok());
    return *number;
  }
  static Revision Awaiting(const std::string& reason, int64_t deadline = 500) {
    Revision revision = MakeRevision(reason);
    revision.standing = Standing::kAwaiting;
    revision.deadline_unix_ns = deadline;
    return revision;
  }
  Revision Get(uint64_t number) { return **history_->Get(number); }
  uint64_t ConfirmedBefore(uint64_t number) {
    const auto found = *history_->ConfirmedBefore(number);
    return found.has_value() ? found->number : 0;
  }

  std::unique_ptr<History> history_;
};

TEST_F(ConfirmationTest, WhatWasAskedForIsGivenBack) {
  Revision revision = Awaiting("grow", 777);
  revision.ticket = "OPS-1";
  revision.base = 5;
  revision.restores = 3;
  revision.auto_confirm = true;
  const uint64_t number = Apply(revision);
  history_ = nullptr;
  history_ = MustOpen();
  const Revision read = Get(number);
  EXPECT_EQ(read.ticket, "OPS-1");
  EXPECT_EQ(read.base, 5u);
  EXPECT_EQ(read.restores, 3u);
  EXPECT_EQ(read.standing, Standing::kAwaiting);
  EXPECT_EQ(read.deadline_unix_ns, 777);
  EXPECT_TRUE(read.auto_confirm);
  EXPECT_EQ(read.settled_unix_ns, 0);
  EXPECT_EQ(read.good_unix_ns, 0);
}

TEST_F(ConfirmationTest, IsConfirmedOnceAndSaysByWhom) {
  const uint64_t number = Apply(Awaiting("grow"));
  ASSERT_TRUE(history_->Confirm(number, "bob", "looks right").ok());
  const Revision read = Get(number);
  EXPECT_EQ(read.standing, Standing::kConfirmed);
  EXPECT_EQ(read.settled_by, "bob");
  EXPECT_EQ(read.settled_why, "looks right");
  EXPECT_GT(read.settled_unix_ns, 0);
  EXPECT_EQ(history_->Confirm(number, "eve", "").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Get(number).settled_by, "bob");
}

TEST_F(ConfirmationTest, OnlyWhatWasAppliedAwaits) {
  EXPECT_EQ(history_->Confirm(1, "bob", "").code(), absl::StatusCode::kNotFound);
  const auto number = history_->Begin(Awaiting("grow"));
  ASSERT_TRUE(number.ok());
  EXPECT_EQ(history_->Confirm(*number, "bob", "").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(history_->Finish(*number, Outcome::kFailed, "no memory").ok());
  EXPECT_EQ(history_->Confirm(*number, "bob", "").code(), absl::StatusCode::kNotFound);
}

TEST_F(ConfirmationTest, WhatIsAppliedWhileOneAwaitsRollsItBack) {
  Apply(MakeRevision("good"));
  const uint64_t bad = Apply(Awaiting("bad"));
  Revision undo = MakeRevision("not confirmed in time");
  undo.author = "evenkeeld";
  undo.restores = 1;
  const auto number = history_->Begin(undo);
  ASSERT_TRUE(number.ok());
  EXPECT_EQ(Get(bad).standing, Standing::kAwaiting) << "until the kernel has the other";
  ASSERT_TRUE(history_->Finish(*number, Outcome::kApplied, "").ok());
  EXPECT_EQ(Get(bad).standing, Standing::kRolledBack);
  EXPECT_EQ(Get(bad).settled_by, "evenkeeld");
  EXPECT_EQ(Get(bad).settled_why, "not confirmed in time");
  EXPECT_EQ(Get(1).standing, Standing::kConfirmed);
}

TEST_F(ConfirmationTest, WhatAwaitsInItsPlaceCarriesItOn) {
  Apply(MakeRevision("good"));
  const uint64_t first = Apply(Awaiting("bad"));
  Revision drain = Awaiting("web-2 burns");
  drain.author = "bob";
  const uint64_t second = Apply(drain);
  EXPECT_EQ(Get(first).standing, Standing::kCarriedOn);
  EXPECT_EQ(Get(first).carried_on_by, second);
  EXPECT_EQ(Get(first).settled_by, "bob");
  EXPECT_EQ(Get(first).settled_why, "web-2 burns");
  EXPECT_EQ(Get(second).carried_on_by, 0u);
  EXPECT_EQ(history_->List(10)->at(1).standing, Standing::kCarriedOn);
  EXPECT_EQ(ConfirmedBefore(second), 1u);
  Apply(MakeRevision("undo"));
  EXPECT_EQ(Get(second).standing, Standing::kRolledBack);
  EXPECT_EQ(Get(first).carried_on_by, second) << "the end of one is not that of the other";
}

TEST_F(ConfirmationTest, AFailedRollbackLeavesItAwaiting) {
  const uint64_t bad = Apply(Awaiting("bad"));
  const auto number = history_->Begin(MakeRevision("undo"));
  ASSERT_TRUE(history_->Finish(*number, Outcome::kFailed, "no memory").ok());
  EXPECT_EQ(Get(bad).standing, Standing::kAwaiting);
  EXPECT_EQ((*history_->LastApplied())->number, bad);
}

TEST_F(ConfirmationTest, ARollbackLeadsToTheNewestConfirmedBefore) {
  Apply(MakeRevision("one"));
  const uint64_t two = Apply(MakeRevision("two"));
  const uint64_t bad = Apply(Awaiting("bad"));
  const auto failed = history_->Begin(MakeRevision("failed"));
  ASSERT_TRUE(history_->Finish(*failed, Outcome::kFailed, "x").ok());
  EXPECT_EQ(ConfirmedBefore(1), 0u);
  EXPECT_EQ(ConfirmedBefore(two), 1u);
  EXPECT_EQ(ConfirmedBefore(bad), two);
  EXPECT_EQ(ConfirmedBefore(99), two) << "neither the awaited nor the failed one";
  Apply(MakeRevision("undo"));
  EXPECT_EQ(ConfirmedBefore(*failed), two) << "one that was rolled back is none";
}

TEST_F(ConfirmationTest, OnlyAConfirmedRevisionBecomesKnownAsGood) {
  EXPECT_FALSE(history_->LastGood()->has_value());
  const uint64_t one = Apply(MakeRevision("one"));
  const uint64_t two = Apply(Awaiting("two"));
  EXPECT_EQ(history_->MarkGood(two, 9).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(history_->MarkGood(one, 8).ok());
  EXPECT_EQ((*history_->LastGood())->number, one);
  EXPECT_EQ((*history_->LastGood())->good_unix_ns, 8);
  ASSERT_TRUE(history_->Confirm(two, "bob", "").ok());
  ASSERT_TRUE(history_->MarkGood(two, 9).ok());
  EXPECT_EQ((*history_->LastGood())->number, two);
}

TEST_F(ConfirmationTest, PoolChangesAreThoseOfAppliedRevisionsSince) {
  Revision old = MakeRevision("old", 10);
  old.pools = {"web"};
  Apply(old);
  Revision recent = MakeRevision("recent", 20);
  recent.pools = {"web", "api", "web"};
  const uint64_t number = Apply(recent);
  Revision failed = MakeRevision("failed", 21);
  failed.pools = {"dns"};
  ASSERT_TRUE(history_->Finish(*history_->Begin(failed), Outcome::kFailed, "x").ok());
  const auto changes = history_->PoolChanges(20);
  ASSERT_TRUE(changes.ok()) << changes.status();
  std::vector<std::string> pools;
  for (const PoolChange& change : *changes) {
    pools.push_back(change.pool);
    EXPECT_EQ(change.revision, number);
    EXPECT_EQ(change.unix_ns, 20);
  }
  EXPECT_THAT(pools, ElementsAre("api", "web"));
}

TEST_F(ConfirmationTest, TheListIsReadInPages) {
  for (int at = 1; at <= 5; ++at) Apply(MakeRevision("r", at));
  Revision refusal = MakeRevision("no", 6);
  refusal.ticket = "OPS-2";
  ASSERT_TRUE(history_->RecordRefusal(refusal).ok());
  const auto first = *history_->List(3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].ticket, "OPS-2");
  EXPECT_EQ(first[2].number, 4u);
  const auto second = *history_->List(10, first[2].created_unix_ns);
  ASSERT_EQ(second.size(), 3u);
  EXPECT_EQ(second[0].number, 3u);
  EXPECT_TRUE(history_->List(10, second[2].created_unix_ns)->empty());
}

TEST_F(ConfirmationTest, WhatIsOldGoesButTheWayBack) {
  for (int at = 1; at <= 30; ++at) {
    Revision revision = MakeRevision(std::to_string(at), at);
    revision.pools = {"web"};
    revision.overrides = {
        {.revision = 0, .rule = "LB005", .reason = "x", .author = "y", .expires_unix_ns = 1000}};
    Apply(revision);
    revision.config_yaml += "refused " + std::to_string(at) + "\n";
    ASSERT_TRUE(history_->RecordRefusal(revision).ok());
  }
  ASSERT_TRUE(history_->MarkGood(3, 5).ok());
  ASSERT_TRUE(history_->Prune(25).ok());
  std::vector<uint64_t> kept;
  size_t refusals = 0;
  const std::vector<Revision> listed = *history_->List(1000);
  for (const Revision& revision : listed) {
    if (revision.number == 0) ++refusals;
    if (revision.number != 0) kept.push_back(revision.number);
  }
  EXPECT_EQ(refusals, 6u);
  ASSERT_EQ(kept.size(), 21u) << "the newest twenty, and the good one";
  EXPECT_EQ(kept.front(), 30u);
  EXPECT_EQ(kept.back(), 3u);
  for (const uint64_t number : kept) {
    EXPECT_EQ(Get(number).config_yaml, MakeRevision(std::to_string(number)).config_yaml);
  }
  EXPECT_EQ(history_->Overrides(0)->size(), 21u);
  EXPECT_EQ(history_->PoolChanges(0)->size(), 21u);
  ASSERT_TRUE(history_->Prune(25).ok());
  EXPECT_EQ(*history_->Begin(MakeRevision("next", 40)), 31u) << "numbers are not used again";
}

TEST_F(ConfirmationTest, OverridesAreThoseOfAppliedRevisionsThatHaveNotEnded) {
  Revision revision = MakeRevision("grow");
  revision.overrides = {{.revision = 0,
                         .rule = "LB005",
                         .reason = "racks",
                         .author = "alice",
                         .expires_unix_ns = 100}};
  const uint64_t number = Apply(revision);
  ASSERT_TRUE(history_->Finish(*history_->Begin(revision), Outcome::kFailed, "no memory").ok());
  const auto shown = history_->Overrides(99);
  ASSERT_TRUE(shown.ok()) << shown.status();
  ASSERT_EQ(shown->size(), 1u);
  EXPECT_EQ((*shown)[0].revision, number);
  EXPECT_EQ((*shown)[0].rule, "LB005");
  EXPECT_EQ((*shown)[0].reason, "racks");
  EXPECT_EQ((*shown)[0].author, "alice");
  EXPECT_TRUE(history_->Overrides(100)->empty());
}

// As the first release of the schema wrote it.
constexpr char kFirstSchema[] = R"sql(
CREATE TABLE config_pieces (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,
  text TEXT NOT NULL) STRICT;
CREATE TABLE revisions (number INTEGER PRIMARY KEY AUTOINCREMENT, author TEXT NOT NULL,
  reason TEXT NOT NULL, source TEXT NOT NULL, created_unix_ns INTEGER NOT NULL,
  finished_unix_ns INTEGER NOT NULL DEFAULT 0,
  outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 2), digest TEXT NOT NULL,
  config BLOB NOT NULL, verdict_json TEXT NOT NULL, error TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX revisions_by_outcome ON revisions (outcome, number);
CREATE TABLE refusals (id INTEGER PRIMARY KEY AUTOINCREMENT, author TEXT NOT NULL,
  reason TEXT NOT NULL, source TEXT NOT NULL, created_unix_ns INTEGER NOT NULL,
  digest TEXT NOT NULL, config BLOB NOT NULL, verdict_json TEXT NOT NULL,
  error TEXT NOT NULL) STRICT;
INSERT INTO revisions (author, reason, source, created_unix_ns, outcome, digest, config,
  verdict_json) VALUES ('alice', 'first', 'api', 1, 1, 'aa', x'', '{}'),
  ('alice', 'second', 'api', 2, 1, 'bb', x'', '{}');
INSERT INTO refusals (author, reason, source, created_unix_ns, digest, config, verdict_json, error)
  VALUES ('bob', 'all to one', 'api', 3, 'cc', x'', '{}', 'LB001');
PRAGMA application_id = 1165380460;
PRAGMA user_version = 1;
)sql";

TEST_F(HistoryTest, ADatabaseOfTheFirstSchemaIsMigrated) {
  std::filesystem::create_directory(dir_);
  Sql(kFirstSchema);
  auto history = MustOpen();
  ASSERT_NE(history, nullptr);
  const auto list = *history->List(10);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].error, "LB001");
  EXPECT_EQ(list[1].reason, "second");
  EXPECT_EQ(list[1].standing, Standing::kConfirmed);
  EXPECT_EQ((*history->ConfirmedBefore(2))->number, 1u);
  EXPECT_EQ(*history->Begin(MakeRevision("third", 4)), 3u);
}

// The second schema said it in words.
TEST_F(HistoryTest, WhoCarriesARevisionOnIsReadFromTheWordsOfTheSecondSchema) {
  {
    auto history = MustOpen();
    for (const char* reason : {"one", "two", "three"}) {
      ASSERT_TRUE(
          history->Finish(*history->Begin(MakeRevision(reason)), Outcome::kApplied, "").ok());
    }
  }
  Sql("ALTER TABLE revisions DROP COLUMN carried_on_by; ALTER TABLE revisions DROP COLUMN "
      "kernel_digest; DROP TABLE health_changes; DROP TABLE withdrawals; PRAGMA user_version = 2;"
      "UPDATE revisions SET standing = 2, settled_why = 'carried on by revision 12: web-2: burns' "
      "WHERE number = 1;"
      "UPDATE revisions SET standing = 2, settled_why = 'carried on by mistake' WHERE number = 2");
  auto history = MustOpen();
  ASSERT_NE(history, nullptr);
  EXPECT_EQ((*history->Get(1))->standing, Standing::kCarriedOn);
  EXPECT_EQ((*history->Get(1))->carried_on_by, 12u);
  EXPECT_EQ((*history->Get(1))->settled_why, "web-2: burns");
  EXPECT_EQ((*history->Get(2))->standing, Standing::kRolledBack);
  EXPECT_EQ((*history->Get(2))->settled_why, "carried on by mistake");
}

// The clock was set back between two revisions: pages by time still show each once.
TEST_F(HistoryTest, PagesLoseNothingWhenTheClockGoesBack) {
  auto history = MustOpen();
  for (const int64_t at : {50, 40, 30, 20, 60}) {
    ASSERT_TRUE(history->Begin(MakeRevision("r", at)).ok());
  }
  std::vector<int64_t> seen;
  for (int64_t before = 0;;) {
    const auto page = *history->List(2, before);
    if (page.empty()) break;
    for (const Revision& r : page) seen.push_back(r.created_unix_ns);
    before = page.back().created_unix_ns;
  }
  EXPECT_THAT(seen, ::testing::ElementsAre(60, 50, 40, 30, 20));
}

}  // namespace
}  // namespace evenkeel::history
