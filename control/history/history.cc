// SPDX-License-Identifier: Apache-2.0
#include "control/history/history.h"

#include <chrono>
#include <filesystem>
#include <limits>
#include <mutex>
#include <system_error>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "control/history/config_store.h"
#include "control/history/database.h"
#include "control/history/database_file.h"
#include "control/history/health_log.h"
#include "control/history/retention.h"
#include "control/history/schema.h"
#include "control/history/withdrawal_log.h"

namespace evenkeel::history {
namespace {

constexpr char kColumns[] =
    "number, author, reason, source, created_unix_ns, outcome, digest, verdict_json, error, "
    "ticket, base, restores, standing, deadline_unix_ns, auto_confirm, settled_unix_ns, "
    "settled_by, settled_why, good_unix_ns, carried_on_by, kernel_digest";
constexpr char kRefusalColumns[] =
    "0, author, reason, source, created_unix_ns, 3, digest, verdict_json, error, "
    "ticket, 0, 0, 0, 0, 0, 0, '', '', 0, 0, ''";
constexpr int kConfigColumn = 21;  // after those

int64_t NowUnixNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct History::Impl {
  std::string path;
  std::mutex mutex;  // guards all below
  Database db;
  ConfigStore configs;
  HealthLog health;
  WithdrawalLog withdrawals;
  Statement insert, finish, refuse, last_applied, get, pending, list;
  Statement insert_pool, supersede, confirm, mark_good, confirmed_before, last_good, pool_changes;
  Statement insert_override, overrides, not_good;

  // One call of the interface: alone, and what fails says of which database.
  template <typename Work>
  auto Do(Work work) {
    std::lock_guard lock(mutex);
    auto result = work();
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      return Explain(result, path);
    } else {
      if (!result.ok()) result = Explain(result.status(), path);
      return result;
    }
  }

  absl::Status Open();
  absl::Status PrepareStatements();
  absl::Status Insert(Statement& statement, const Revision& revision);
  absl::StatusOr<Revision> ReadRow(Statement* statement);
  absl::StatusOr<std::vector<Revision>> ReadRows(Statement* statement);
  absl::StatusOr<std::optional<Revision>> ReadOne(Statement* statement);
  absl::StatusOr<uint64_t> Begin(const Revision& revision);
  absl::Status Finish(uint64_t number, Outcome outcome, const std::string& error);
  absl::Status RecordRefusal(const Revision& revision);
  absl::Status Update(Statement& statement, const std::string& missing);
  absl::Status Confirm(uint64_t number, const std::string& by, const std::string& why);
  absl::Status MarkGood(uint64_t number, int64_t unix_ns);
  absl::StatusOr<std::vector<PoolChange>> PoolChanges(int64_t since_unix_ns);
  absl::StatusOr<std::vector<Override>> Overrides(int64_t unix_ns);
};

absl::Status History::Impl::Open() {
  if (absl::Status s = PrepareFile(path); !s.ok()) return s;
  absl::StatusOr<Database> opened = Database::Open(path);
  if (!opened.ok()) return opened.status();
  db = std::move(*opened);
  if (absl::Status s = Configure(&db); !s.ok()) return s;
  if (absl::Status s = CheckIntegrity(&db); !s.ok()) return s;
  if (absl::Status s = Migrate(&db); !s.ok()) return s;
  if (absl::Status s = configs.Prepare(&db); !s.ok()) return s;
  if (absl::Status s = health.Prepare(&db); !s.ok()) return s;
  if (absl::Status s = withdrawals.Prepare(&db); !s.ok()) return s;
  return PrepareStatements();
}

absl::Status History::Impl::PrepareStatements() {
  const std::string select = absl::StrCat("SELECT ", kColumns, ", config FROM revisions ");
  const std::pair<Statement*, std::string> statements[] = {
      {&insert,
       "INSERT INTO revisions (author, reason, source, created_unix_ns, outcome, digest, "
       "verdict_json, error, config, ticket, base, restores, standing, deadline_unix_ns, "
       "auto_confirm, kernel_digest) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, '', ?7, ?8, ?9, ?10, ?11, "
       "?12, ?13, ?14)"},
      {&insert_pool, "INSERT OR IGNORE INTO pool_changes (revision, pool) VALUES (?1, ?2)"},
      {&insert_override,
       "INSERT OR REPLACE INTO overrides (revision, rule, reason, author, expires_unix_ns) "
       "VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&overrides,
       "SELECT revision, rule, o.reason, o.author, expires_unix_ns FROM overrides AS o "
       "JOIN revisions ON revision = number WHERE outcome = 1 AND expires_unix_ns > ?1 "
       "ORDER BY revision, rule"},
      {&finish,
       "UPDATE revisions SET outcome = ?2, error = ?3, finished_unix_ns = ?4 "
       "WHERE number = ?1 AND outcome = 0 RETURNING number"},
      {&supersede,
       "UPDATE revisions SET standing = 2, settled_unix_ns = ?2, settled_by = n.author, "
       "settled_why = n.reason, carried_on_by = CASE n.standing WHEN 1 THEN ?1 ELSE 0 END "
       "FROM (SELECT author, reason, standing FROM revisions WHERE number = ?1) AS n "
       "WHERE revisions.standing = 1 AND outcome = 1 AND number < ?1"},
      {&not_good,
       "UPDATE revisions SET good_unix_ns = 0 FROM (SELECT restores FROM revisions "
       "WHERE number = ?1) AS n WHERE n.restores > 0 AND number > n.restores AND number < ?1"},
      {&confirm,
       "UPDATE revisions SET standing = 0, settled_unix_ns = ?2, settled_by = ?3, "
       "settled_why = ?4 WHERE number = ?1 AND standing = 1 AND outcome = 1 RETURNING number"},
      {&mark_good,
       "UPDATE revisions SET good_unix_ns = ?2 WHERE number = ?1 AND standing = 0 AND outcome = 1 "
       "RETURNING number"},
      {&confirmed_before, select + "WHERE outcome = 1 AND standing = 0 AND number < ?1 "
                                   "ORDER BY number DESC LIMIT 1"},
      {&last_good, select + "WHERE good_unix_ns > 0 ORDER BY number DESC LIMIT 1"},
      {&pool_changes,
       "SELECT pool, number, created_unix_ns FROM revisions JOIN pool_changes "
       "ON revision = number WHERE outcome = 1 AND created_unix_ns >= ?1 ORDER BY number, pool"},
      {&refuse,
       "INSERT INTO refusals (author, reason, source, created_unix_ns, digest, verdict_json, "
       "error, config, ticket) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?9, ?7, ?8)"},
      {&last_applied, select + "WHERE outcome = 1 ORDER BY number DESC LIMIT 1"},
      {&get, select + "WHERE number = ?1"},
      {&pending, select + "WHERE outcome = 0 ORDER BY number"},
      {&list, absl::StrCat("SELECT *, x'' FROM (SELECT ", kColumns,
                           " FROM revisions WHERE created_unix_ns < ?2 "
                           "ORDER BY created_unix_ns DESC, number DESC "
                           "LIMIT ?1) UNION ALL SELECT *, x'' FROM (SELECT ",
                           kRefusalColumns,
                           " FROM refusals WHERE created_unix_ns < ?2 "
                           "ORDER BY created_unix_ns DESC, id DESC LIMIT ?1)",
                           " ORDER BY created_unix_ns DESC, number DESC LIMIT ?1")},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<Statement> prepared = db.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = std::move(*prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<Revision> History::Impl::ReadRow(Statement* statement) {
  Revision revision;
  revision.number = static_cast<uint64_t>(statement->Int(0));
  revision.author = statement->Text(1);
  revision.reason = statement->Text(2);
  revision.source = statement->Text(3);
  revision.created_unix_ns = statement->Int(4);
  revision.outcome = static_cast<Outcome>(statement->Int(5));
  revision.digest = statement->Text(6);
  revision.verdict_json = statement->Text(7);
  revision.error = statement->Text(8);
  revision.ticket = statement->Text(9);
  revision.base = static_cast<uint64_t>(statement->Int(10));
  revision.restores = static_cast<uint64_t>(statement->Int(11));
  revision.standing = static_cast<Standing>(statement->Int(12));
  revision.deadline_unix_ns = statement->Int(13);
  revision.auto_confirm = statement->Int(14) != 0;
  revision.settled_unix_ns = statement->Int(15);
  revision.settled_by = statement->Text(16);
  revision.settled_why = statement->Text(17);
  revision.good_unix_ns = statement->Int(18);
  revision.carried_on_by = static_cast<uint64_t>(statement->Int(19));
  revision.kernel_digest = statement->Text(20);
  if (revision.carried_on_by != 0) revision.standing = Standing::kCarriedOn;
  absl::StatusOr<std::string> config = configs.Get(statement->Text(kConfigColumn));
  if (!config.ok()) return config.status();
  revision.config_yaml = std::move(*config);
  return revision;
}

absl::StatusOr<std::vector<Revision>> History::Impl::ReadRows(Statement* statement) {
  std::vector<Revision> revisions;
  while (true) {
    absl::StatusOr<bool> row = statement->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    absl::StatusOr<Revision> revision = ReadRow(statement);
    if (!revision.ok()) {
      statement->Reset();
      return revision.status();
    }
    revisions.push_back(std::move(*revision));
  }
  statement->Reset();
  return revisions;
}

absl::StatusOr<std::optional<Revision>> History::Impl::ReadOne(Statement* statement) {
  absl::StatusOr<std::vector<Revision>> rows = ReadRows(statement);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

// A row of `statement`, whose parameters 1 to 8 are what every record has.
absl::Status History::Impl::Insert(Statement& statement, const Revision& revision) {
  absl::StatusOr<std::string> config = configs.Put(&db, revision.config_yaml);
  if (!config.ok()) return config.status();
  return statement.Bind(1, revision.author)
      .Bind(2, revision.reason)
      .Bind(3, revision.source)
      .Bind(4, revision.created_unix_ns)
      .Bind(5, revision.digest)
      .Bind(6, revision.verdict_json)
      .BindBlob(7, *config)
      .Bind(8, revision.ticket)
      .Run();
}

absl::StatusOr<uint64_t> History::Impl::Begin(const Revision& revision) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(&db);
  if (!transaction.ok()) return transaction.status();
  insert.Reset()
      .Bind(9, static_cast<int64_t>(revision.base))
      .Bind(10, static_cast<int64_t>(revision.restores))
      .Bind(11, static_cast<int64_t>(revision.standing))
      .Bind(12, revision.deadline_unix_ns)
      .Bind(13, static_cast<int64_t>(revision.auto_confirm))
      .Bind(14, revision.kernel_digest);
  if (absl::Status s = Insert(insert, revision); !s.ok()) return s;
  const int64_t number = db.last_insert_id();
  for (const std::string& pool : revision.pools) {
    if (absl::Status s = insert_pool.Reset().Bind(1, number).Bind(2, pool).Run(); !s.ok()) return s;
  }
  for (const Override& o : revision.overrides) {
    insert_override.Reset()
        .Bind(1, number)
        .Bind(2, o.rule)
        .Bind(3, o.reason)
        .Bind(4, o.author)
        .Bind(5, o.expires_unix_ns);
    if (absl::Status s = insert_override.Run(); !s.ok()) return s;
  }
  if (absl::Status s = transaction->Commit(); !s.ok()) return s;
  return static_cast<uint64_t>(number);
}

// Runs an UPDATE that is about one revision and returns its number. NotFound: there was none.
absl::Status History::Impl::Update(Statement& statement, const std::string& missing) {
  absl::StatusOr<bool> row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    statement.Reset();
    return absl::NotFoundError(missing);
  }
  return statement.Run();
}

absl::Status History::Impl::Finish(uint64_t number, Outcome outcome, const std::string& error) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(&db);
  if (!transaction.ok()) return transaction.status();
  const int64_t now = NowUnixNs();
  finish.Reset()
      .Bind(1, static_cast<int64_t>(number))
      .Bind(2, static_cast<int64_t>(outcome))
      .Bind(3, error)
      .Bind(4, now);
  if (absl::Status s = Update(finish, absl::StrCat("revision ", number, " is not pending"));
      !s.ok()) {
    return s;
  }
  if (outcome == Outcome::kApplied) {
    supersede.Reset().Bind(1, static_cast<int64_t>(number)).Bind(2, now);
    if (absl::Status s = supersede.Run(); !s.ok()) return s;
    // What somebody went back from is not known as good any more, however long it ran.
    not_good.Reset().Bind(1, static_cast<int64_t>(number));
    if (absl::Status s = not_good.Run(); !s.ok()) return s;
  }
  return transaction->Commit();
}

absl::Status History::Impl::Confirm(uint64_t number, const std::string& by,
                                    const std::string& why) {
  confirm.Reset()
      .Bind(1, static_cast<int64_t>(number))
      .Bind(2, NowUnixNs())
      .Bind(3, by)
      .Bind(4, why);
  return Update(confirm, absl::StrCat("revision ", number, " does not await a confirmation"));
}

absl::Status History::Impl::MarkGood(uint64_t number, int64_t unix_ns) {
  mark_good.Reset().Bind(1, static_cast<int64_t>(number)).Bind(2, unix_ns);
  return Update(mark_good, absl::StrCat("revision ", number, " is not confirmed"));
}

absl::StatusOr<std::vector<PoolChange>> History::Impl::PoolChanges(int64_t since_unix_ns) {
  std::vector<PoolChange> changes;
  pool_changes.Reset().Bind(1, since_unix_ns);
  while (true) {
    absl::StatusOr<bool> row = pool_changes.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    changes.push_back({.pool = pool_changes.Text(0),
                       .revision = static_cast<uint64_t>(pool_changes.Int(1)),
                       .unix_ns = pool_changes.Int(2)});
  }
  pool_changes.Reset();
  return changes;
}

absl::StatusOr<std::vector<Override>> History::Impl::Overrides(int64_t unix_ns) {
  std::vector<Override> result;
  overrides.Reset().Bind(1, unix_ns);
  while (true) {
    absl::StatusOr<bool> row = overrides.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    result.push_back({.revision = static_cast<uint64_t>(overrides.Int(0)),
                      .rule = overrides.Text(1),
                      .reason = overrides.Text(2),
                      .author = overrides.Text(3),
                      .expires_unix_ns = overrides.Int(4)});
  }
  overrides.Reset();
  return result;
}

absl::Status History::Impl::RecordRefusal(const Revision& revision) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(&db);
  if (!transaction.ok()) return transaction.status();
  if (absl::Status s = Insert(refuse.Reset().Bind(9, revision.error), revision); !s.ok()) return s;
  return transaction->Commit();
}

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
History::~History() = default;

absl::StatusOr<std::unique_ptr<History>> History::Open(const std::string& state_dir) {
  if (absl::Status s = PrepareDirectory(state_dir); !s.ok()) return s;
  auto impl = std::make_unique<Impl>();
  impl->path = absl::StrCat(state_dir, "/history.db");
  if (absl::Status s = impl->Open(); !s.ok()) return Explain(s, impl->path);
  return std::unique_ptr<History>(new History(std::move(impl)));
}

absl::StatusOr<uint64_t> History::Begin(const Revision& revision) {
  return impl_->Do([&] { return impl_->Begin(revision); });
}

absl::Status History::Finish(uint64_t number, Outcome outcome, const std::string& error) {
  if (outcome != Outcome::kApplied && outcome != Outcome::kFailed) {
    return absl::InvalidArgumentError("a revision ends as applied or failed");
  }
  return impl_->Do([&] { return impl_->Finish(number, outcome, error); });
}

absl::Status History::RecordRefusal(const Revision& revision) {
  return impl_->Do([&] { return impl_->RecordRefusal(revision); });
}

absl::StatusOr<std::optional<Revision>> History::LastApplied() {
  return impl_->Do([&] { return impl_->ReadOne(&impl_->last_applied.Reset()); });
}

absl::StatusOr<std::optional<Revision>> History::Get(uint64_t number) {
  return impl_->Do(
      [&] { return impl_->ReadOne(&impl_->get.Reset().Bind(1, static_cast<int64_t>(number))); });
}

absl::StatusOr<std::vector<Revision>> History::Pending() {
  return impl_->Do([&] { return impl_->ReadRows(&impl_->pending.Reset()); });
}

absl::StatusOr<std::vector<Revision>> History::List(uint32_t limit, int64_t before_unix_ns) {
  const int64_t before = before_unix_ns == 0 ? std::numeric_limits<int64_t>::max() : before_unix_ns;
  return impl_->Do([&] {
    return impl_->ReadRows(
        &impl_->list.Reset().Bind(1, static_cast<int64_t>(limit)).Bind(2, before));
  });
}

absl::Status History::Confirm(uint64_t number, const std::string& by, const std::string& why) {
  return impl_->Do([&] { return impl_->Confirm(number, by, why); });
}

absl::Status History::Inspect(const std::string& state_dir) {
  const std::string path = absl::StrCat(state_dir, "/history.db");
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::NotFoundError(absl::StrCat("history ", path, ": there is no such file"));
  }
  absl::StatusOr<Database> db = Database::OpenToRead(path);
  return Explain(db.ok() ? CheckIntegrity(&*db) : db.status(), path);
}

absl::Status History::RecordHealth(const std::vector<HealthChange>& changes) {
  return impl_->Do([&] { return impl_->health.Add(&impl_->db, changes); });
}

absl::StatusOr<std::vector<HealthChange>> History::Reduced() {
  return impl_->Do([&] { return impl_->health.Reduced(); });
}

absl::StatusOr<std::vector<HealthChange>> History::HealthMovesSince(int64_t unix_ns) {
  return impl_->Do([&] { return impl_->health.MovesSince(unix_ns); });
}

absl::StatusOr<std::vector<HealthChange>> History::ListHealth(uint32_t limit,
                                                              int64_t before_unix_ns,
                                                              const std::string& pool) {
  return impl_->Do([&] {
    return impl_->health.List(
        limit, before_unix_ns == 0 ? std::numeric_limits<int64_t>::max() : before_unix_ns, pool);
  });
}

absl::Status History::RecordWithdrawals(const std::vector<Withdrawal>& withdrawals) {
  return impl_->Do([&] { return impl_->withdrawals.Add(&impl_->db, withdrawals); });
}

absl::StatusOr<std::vector<Withdrawal>> History::Withdrawals() {
  return impl_->Do([&] { return impl_->withdrawals.InForce(); });
}

absl::Status History::Check() {
  // By a connection of its own: nobody waits while a large database is read.
  absl::StatusOr<Database> reader = Database::OpenToRead(impl_->path);
  const absl::Status whole = reader.ok() ? CheckIntegrity(&*reader) : reader.status();
  if (!whole.ok()) return Explain(whole, impl_->path);
  // Whether there is room is known only when something was written and synced.
  return impl_->Do(
      [&] { return impl_->db.Execute(absl::StrCat("PRAGMA user_version = ", SchemaVersion())); });
}

absl::Status History::Prune(int64_t unix_ns) {
  return impl_->Do([&] { return history::Prune(&impl_->db, unix_ns); });
}

absl::Status History::MarkGood(uint64_t number, int64_t unix_ns) {
  return impl_->Do([&] { return impl_->MarkGood(number, unix_ns); });
}

absl::StatusOr<std::optional<Revision>> History::ConfirmedBefore(uint64_t number) {
  return impl_->Do([&] {
    return impl_->ReadOne(&impl_->confirmed_before.Reset().Bind(1, static_cast<int64_t>(number)));
  });
}

absl::StatusOr<std::optional<Revision>> History::LastGood() {
  return impl_->Do([&] { return impl_->ReadOne(&impl_->last_good.Reset()); });
}

absl::StatusOr<std::vector<Override>> History::Overrides(int64_t unix_ns) {
  return impl_->Do([&] { return impl_->Overrides(unix_ns); });
}

absl::StatusOr<std::vector<PoolChange>> History::PoolChanges(int64_t since_unix_ns) {
  return impl_->Do([&] { return impl_->PoolChanges(since_unix_ns); });
}

}  // namespace evenkeel::history
