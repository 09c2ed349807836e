// SPDX-License-Identifier: Apache-2.0
#include "control/history/health_log.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace evenkeel::history {
namespace {

constexpr char kColumns[] = "unix_ns, pool, server, backend, permille, cause";

absl::StatusOr<std::vector<HealthChange>> ReadAll(Statement& statement) {
  std::vector<HealthChange> changes;
  while (true) {
    absl::StatusOr<bool> row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    changes.push_back({.unix_ns = statement.Int(0),
                       .pool = statement.Text(1),
                       .server = statement.Text(2),
                       .backend = statement.Text(3),
                       .permille = static_cast<uint16_t>(statement.Int(4)),
                       .cause = statement.Text(5)});
  }
  statement.Reset();
  return changes;
}

}  // namespace

absl::Status HealthLog::Prepare(Database* db) {
  const std::pair<Statement*, std::string> statements[] = {
      {&insert_,
       absl::StrCat("INSERT INTO health_changes (", kColumns, ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)")},
      {&reduced_,
       absl::StrCat("SELECT ", kColumns,
                    " FROM health_changes WHERE permille < 1000 AND id IN (SELECT max(id) FROM "
                    "health_changes GROUP BY pool, server) ORDER BY pool, server")},
      {&moves_,
       absl::StrCat("SELECT ", kColumns,
                    " FROM (SELECT *, lag(permille, 1, 1000) OVER (PARTITION "
                    "BY pool, server ORDER BY id) AS before FROM health_changes WHERE unix_ns >= "
                    "?1) WHERE (permille = 0) <> (before = 0) ORDER BY id")},
      {&list_, absl::StrCat("SELECT ", kColumns,
                            " FROM health_changes WHERE unix_ns < ?2 AND (?3 = '' OR pool = ?3) "
                            "ORDER BY unix_ns DESC, id DESC LIMIT ?1")},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<Statement> prepared = db->Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::Status HealthLog::Add(Database* db, const std::vector<HealthChange>& changes) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  for (const HealthChange& change : changes) {
    insert_.Reset()
        .Bind(1, change.unix_ns)
        .Bind(2, change.pool)
        .Bind(3, change.server)
        .Bind(4, change.backend)
        .Bind(5, int64_t{change.permille})
        .Bind(6, change.cause);
    if (absl::Status s = insert_.Run(); !s.ok()) return s;
  }
  return transaction->Commit();
}

absl::StatusOr<std::vector<HealthChange>> HealthLog::Reduced() { return ReadAll(reduced_.Reset()); }

absl::StatusOr<std::vector<HealthChange>> HealthLog::MovesSince(int64_t unix_ns) {
  return ReadAll(moves_.Reset().Bind(1, unix_ns));
}

absl::StatusOr<std::vector<HealthChange>> HealthLog::List(uint32_t limit, int64_t before_unix_ns,
                                                          const std::string& pool) {
  return ReadAll(list_.Reset().Bind(1, int64_t{limit}).Bind(2, before_unix_ns).Bind(3, pool));
}

}  // namespace evenkeel::history
