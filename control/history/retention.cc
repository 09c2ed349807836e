// SPDX-License-Identifier: Apache-2.0
#include "control/history/retention.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "control/history/config_store.h"

namespace evenkeel::history {
namespace {

// Runs `sql`, whose rows `take` is given.
template <typename Take>
absl::Status ForEach(Database* db, std::string_view sql, Take take) {
  absl::StatusOr<Statement> statement = db->Prepare(sql);
  if (!statement.ok()) return statement.status();
  while (true) {
    absl::StatusOr<bool> row = statement->Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    take(*statement);
  }
}

absl::Status DropPieces(Database* db) {
  absl::flat_hash_set<int64_t> used;
  absl::Status status =
      ForEach(db, "SELECT config FROM revisions UNION ALL SELECT config FROM refusals",
              [&](const Statement& row) {
                for (const int64_t id : PieceIds(row.Text(0))) used.insert(id);
              });
  if (!status.ok()) return status;
  std::vector<int64_t> unused;
  status = ForEach(db, "SELECT id FROM config_pieces", [&](const Statement& row) {
    if (!used.contains(row.Int(0))) unused.push_back(row.Int(0));
  });
  if (!status.ok()) return status;
  absl::StatusOr<Statement> drop = db->Prepare("DELETE FROM config_pieces WHERE id = ?1");
  if (!drop.ok()) return drop.status();
  for (const int64_t id : unused) {
    if (status = drop->Reset().Bind(1, id).Run(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Prune(Database* db, int64_t unix_ns) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  const std::string kept = absl::StrCat(
      "SELECT number FROM (SELECT number FROM revisions WHERE outcome = 1 ORDER BY number DESC "
      "LIMIT ",
      kKeptRevisions, ") UNION SELECT max(number) FROM revisions WHERE good_unix_ns > 0");
  absl::Status status =
      db->Execute(absl::StrCat("DELETE FROM refusals WHERE created_unix_ns < ", unix_ns,
                               "; DELETE FROM health_changes WHERE unix_ns < ", unix_ns,
                               " AND id NOT IN (SELECT max(id) FROM health_changes "
                               "GROUP BY pool, server)",
                               "; DELETE FROM withdrawals WHERE unix_ns < ", unix_ns,
                               " AND id NOT IN (SELECT max(id) FROM withdrawals GROUP BY vip)",
                               "; DELETE FROM revisions WHERE created_unix_ns < ", unix_ns,
                               " AND outcome <> 0 AND number NOT IN (SELECT number FROM (", kept,
                               ") WHERE number IS NOT NULL);"));
  if (!status.ok()) return status;
  if (status = DropPieces(db); !status.ok()) return status;
  return transaction->Commit();
}

}  // namespace evenkeel::history
