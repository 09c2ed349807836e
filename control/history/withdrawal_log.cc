// SPDX-License-Identifier: Apache-2.0
#include "control/history/withdrawal_log.h"

#include <utility>

namespace evenkeel::history {

absl::Status WithdrawalLog::Prepare(Database* db) {
  const std::pair<Statement*, const char*> statements[] = {
      {&insert_,
       "INSERT INTO withdrawals (unix_ns, vip, withdrawn, author, reason) "
       "VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&in_force_,
       "SELECT unix_ns, vip, withdrawn, author, reason FROM withdrawals WHERE id IN "
       "(SELECT max(id) FROM withdrawals GROUP BY vip) AND id >= "
       "(SELECT ifnull(max(id), 0) FROM withdrawals WHERE vip = '') ORDER BY id"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<Statement> prepared = db->Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::Status WithdrawalLog::Add(Database* db, const std::vector<Withdrawal>& withdrawals) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  for (const Withdrawal& withdrawal : withdrawals) {
    insert_.Reset()
        .Bind(1, withdrawal.unix_ns)
        .Bind(2, withdrawal.vip)
        .Bind(3, int64_t{withdrawal.withdrawn})
        .Bind(4, withdrawal.author)
        .Bind(5, withdrawal.reason);
    if (absl::Status s = insert_.Run(); !s.ok()) return s;
  }
  return transaction->Commit();
}

absl::StatusOr<std::vector<Withdrawal>> WithdrawalLog::InForce() {
  std::vector<Withdrawal> withdrawals;
  in_force_.Reset();
  while (true) {
    absl::StatusOr<bool> row = in_force_.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    withdrawals.push_back({.unix_ns = in_force_.Int(0),
                           .vip = in_force_.Text(1),
                           .withdrawn = in_force_.Int(2) != 0,
                           .author = in_force_.Text(3),
                           .reason = in_force_.Text(4)});
  }
  in_force_.Reset();
  return withdrawals;
}

}  // namespace evenkeel::history
