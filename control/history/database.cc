// SPDX-License-Identifier: Apache-2.0
#include "control/history/database.h"

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace evenkeel::history {
namespace {

constexpr int kBusyTimeoutMs = 2000;

// What the system said about the log, where changes are written first, or about the database.
int SystemError(sqlite3* db) {
  int error = 0;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  if (error == 0) sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
  return error;
}

// A file system that became read-only, a quota and a broken disk are all "disk I/O error" to
// SQLite; only the system's code tells them apart.
absl::Status FromIoError(sqlite3* db, int rc, const std::string& message) {
  if (rc == SQLITE_IOERR_SHMSIZE) return absl::ResourceExhaustedError(message);
  const int error = db != nullptr ? SystemError(db) : 0;
  if (error == 0) return absl::InternalError(message);
  const absl::Status status = absl::ErrnoToStatus(error, message);
  return error == EDQUOT ? absl::ResourceExhaustedError(status.message()) : status;
}

absl::Status ToStatus(sqlite3* db, int rc) {
  const std::string text = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  const std::string message = absl::StrCat(text, " (SQLite code ", rc, ")");
  switch (rc & 0xff) {
    case SQLITE_OK:
      return absl::OkStatus();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(message);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message);
    case SQLITE_IOERR:
      return FromIoError(db, rc, message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

Statement& Statement::Reset() {
  sqlite3_reset(stmt_.get());
  sqlite3_clear_bindings(stmt_.get());
  return *this;
}

// A failed bind leaves the parameter NULL, which the columns' NOT NULL then refuses.
Statement& Statement::Bind(int index, int64_t value) {
  sqlite3_bind_int64(stmt_.get(), index, value);
  return *this;
}

Statement& Statement::Bind(int index, std::string_view text) {
  sqlite3_bind_text64(stmt_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(stmt_.get(), index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int rc = sqlite3_step(stmt_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  absl::Status status = ToStatus(sqlite3_db_handle(stmt_.get()), rc);
  sqlite3_reset(stmt_.get());
  return status;
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = Step();
  if (!row.ok()) return row.status();
  sqlite3_reset(stmt_.get());
  return absl::OkStatus();
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(stmt_.get(), column); }

std::string Statement::Text(int column) const {
  const void* data = sqlite3_column_blob(stmt_.get(), column);
  const int size = sqlite3_column_bytes(stmt_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

absl::StatusOr<Database> Database::Open(const std::string& path) {
  return OpenAs(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

absl::StatusOr<Database> Database::OpenToRead(const std::string& path) {
  return OpenAs(path, SQLITE_OPEN_READONLY);
}

absl::StatusOr<Database> Database::OpenAs(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &raw,
                                 flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database;
  database.db_.reset(raw);
  if (rc != SQLITE_OK) return ToStatus(raw, rc);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return database;
}

absl::StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (rc != SQLITE_OK) return ToStatus(db_.get(), rc);
  return Statement(stmt);
}

absl::Status Database::Execute(const std::string& sql) {
  return ToStatus(db_.get(), sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

absl::StatusOr<int64_t> Database::QueryInt(std::string_view sql) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row ? statement->Int(0) : 0;
}

absl::StatusOr<std::string> Database::QueryText(std::string_view sql) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row ? statement->Text(0) : std::string();
}

absl::StatusOr<Transaction> Transaction::Begin(Database* db) {
  if (absl::Status status = db->Execute("BEGIN IMMEDIATE"); !status.ok()) return status;
  return Transaction(db);
}

Transaction::~Transaction() {
  // A rollback fails only where SQLite has already rolled back by itself.
  if (db_ != nullptr) db_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  absl::Status status = db_->Execute("COMMIT");
  if (status.ok()) db_ = nullptr;
  return status;
}

}  // namespace evenkeel::history
