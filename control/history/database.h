// SPDX-License-Identifier: Apache-2.0
//
// The part of SQLite's C interface that the history uses, with owners and absl::Status.
#ifndef EVENKEEL_CONTROL_HISTORY_DATABASE_H_
#define EVENKEEL_CONTROL_HISTORY_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace evenkeel::history {

// A prepared statement that is kept and run many times. Parameters count from 1, columns from 0.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}

  // Makes the statement ready for another run; bound text must stay alive until the run is over.
  Statement& Reset();
  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);

  // True: a row is there to be read. False: done.
  absl::StatusOr<bool> Step();
  // Runs a statement that gives no rows, and resets it.
  absl::Status Run();

  int64_t Int(int column) const;
  std::string Text(int column) const;  // also of blobs

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> stmt_;
};

class Database {
 public:
  // Opens or creates `path`. The status codes of every call: DataLoss damaged or not a database,
  // PermissionDenied not writable, ResourceExhausted disk full, Unavailable locked by another
  // process, Unknown a disk that fails, Internal otherwise.
  static absl::StatusOr<Database> Open(const std::string& path);
  static absl::StatusOr<Database> OpenToRead(const std::string& path);

  absl::StatusOr<Statement> Prepare(std::string_view sql);
  absl::Status Execute(const std::string& sql);
  // The one value that `sql` gives.
  absl::StatusOr<int64_t> QueryInt(std::string_view sql);
  absl::StatusOr<std::string> QueryText(std::string_view sql);
  int64_t last_insert_id() const { return sqlite3_last_insert_rowid(db_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  static absl::StatusOr<Database> OpenAs(const std::string& path, int flags);

  std::unique_ptr<sqlite3, Close> db_;
};

// Rolls back unless committed.
class Transaction {
 public:
  // Takes the write lock at once.
  static absl::StatusOr<Transaction> Begin(Database* db);
  Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  absl::Status Commit();

 private:
  explicit Transaction(Database* db) : db_(db) {}
  Database* db_;
};

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_DATABASE_H_
