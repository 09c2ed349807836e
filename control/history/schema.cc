// SPDX-License-Identifier: Apache-2.0
#include "control/history/schema.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace evenkeel::history {
namespace {

constexpr int64_t kApplicationId = 0x45764b6c;  // "EvKl"

// Step i brings a database of version i to i + 1. Never edit a step that was released: add one.
//
// A configuration is stored as the ids of its pieces, each stored once (config_store.h).
// Refusals are kept apart so that they take no revision number.
constexpr const char* kSteps[] = {
    R"sql(
CREATE TABLE config_pieces (
  id    INTEGER PRIMARY KEY,
  hash  BLOB NOT NULL UNIQUE,
  text  TEXT NOT NULL
) STRICT;
CREATE TABLE revisions (
  number           INTEGER PRIMARY KEY AUTOINCREMENT,
  author           TEXT NOT NULL,
  reason           TEXT NOT NULL,
  source           TEXT NOT NULL,
  created_unix_ns  INTEGER NOT NULL,
  finished_unix_ns INTEGER NOT NULL DEFAULT 0,
  outcome          INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 2),
  digest           TEXT NOT NULL,
  config           BLOB NOT NULL,
  verdict_json     TEXT NOT NULL,
  error            TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX revisions_by_outcome ON revisions (outcome, number);
CREATE TABLE refusals (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  author           TEXT NOT NULL,
  reason           TEXT NOT NULL,
  source           TEXT NOT NULL,
  created_unix_ns  INTEGER NOT NULL,
  digest           TEXT NOT NULL,
  config           BLOB NOT NULL,
  verdict_json     TEXT NOT NULL,
  error            TEXT NOT NULL
) STRICT;
)sql",
    // Confirmation, rollback, and what the time rules ask. What was applied before counts as
    // confirmed.
    R"sql(
ALTER TABLE revisions ADD COLUMN ticket TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN restores INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN standing INTEGER NOT NULL DEFAULT 0
  CHECK (standing BETWEEN 0 AND 2);
ALTER TABLE revisions ADD COLUMN deadline_unix_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN auto_confirm INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN settled_unix_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revisions ADD COLUMN settled_by TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN settled_why TEXT NOT NULL DEFAULT '';
ALTER TABLE revisions ADD COLUMN good_unix_ns INTEGER NOT NULL DEFAULT 0;
CREATE INDEX revisions_awaiting ON revisions (number) WHERE standing = 1;
CREATE INDEX revisions_by_time ON revisions (created_unix_ns);
ALTER TABLE refusals ADD COLUMN ticket TEXT NOT NULL DEFAULT '';
CREATE INDEX refusals_by_time ON refusals (created_unix_ns);
CREATE TABLE pool_changes (
  revision  INTEGER NOT NULL REFERENCES revisions (number) ON DELETE CASCADE,
  pool      TEXT NOT NULL,
  PRIMARY KEY (revision, pool)
) STRICT, WITHOUT ROWID;
CREATE TABLE overrides (
  revision         INTEGER NOT NULL REFERENCES revisions (number) ON DELETE CASCADE,
  rule             TEXT NOT NULL,
  reason           TEXT NOT NULL,
  author           TEXT NOT NULL,
  expires_unix_ns  INTEGER NOT NULL,
  PRIMARY KEY (revision, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX overrides_by_end ON overrides (expires_unix_ns);
)sql",
    // Who carries on what a revision awaits, in a column and not in the words of why it ended.
    R"sql(
ALTER TABLE revisions ADD COLUMN carried_on_by INTEGER NOT NULL DEFAULT 0;
UPDATE revisions SET
  carried_on_by = CAST(substr(settled_why, length('carried on by revision ') + 1) AS INTEGER),
  settled_why = substr(settled_why, instr(settled_why, ': ') + 2)
  WHERE standing = 2 AND settled_why GLOB 'carried on by revision [1-9]*: *';
)sql",
    // Health: what was published may be less than what was asked for, and who is out is remembered.
    R"sql(
ALTER TABLE revisions ADD COLUMN kernel_digest TEXT NOT NULL DEFAULT '';
CREATE TABLE health_changes (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  unix_ns  INTEGER NOT NULL,
  pool     TEXT NOT NULL,
  server   TEXT NOT NULL,
  backend  TEXT NOT NULL,
  out      INTEGER NOT NULL CHECK (out BETWEEN 0 AND 1),
  cause    TEXT NOT NULL
) STRICT;
CREATE INDEX health_changes_by_server ON health_changes (pool, server, id);
CREATE INDEX health_changes_by_time ON health_changes (unix_ns);
)sql",
    // Who comes back may do so step by step.
    R"sql(
ALTER TABLE health_changes ADD COLUMN
  permille INTEGER NOT NULL DEFAULT 1000 CHECK (permille BETWEEN 0 AND 1000);
UPDATE health_changes SET permille = 0 WHERE out = 1;
ALTER TABLE health_changes DROP COLUMN out;
)sql",
    // VIPs that operators withdraw from the routers; an empty name is all of them.
    R"sql(
CREATE TABLE withdrawals (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  unix_ns    INTEGER NOT NULL,
  vip        TEXT NOT NULL,
  withdrawn  INTEGER NOT NULL CHECK (withdrawn BETWEEN 0 AND 1),
  author     TEXT NOT NULL,
  reason     TEXT NOT NULL
) STRICT;
CREATE INDEX withdrawals_by_vip ON withdrawals (vip, id);
)sql",
};

absl::Status CheckOwner(Database* db, int64_t version) {
  absl::StatusOr<int64_t> application = db->QueryInt("PRAGMA application_id");
  if (!application.ok()) return application.status();
  absl::StatusOr<int64_t> tables = db->QueryInt("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  const bool fresh = version == 0 && *tables == 0;
  if (!fresh && *application != kApplicationId) {
    return absl::FailedPreconditionError(
        "it is a database of another program; name another state directory");
  }
  if (version > SchemaVersion()) {
    return absl::FailedPreconditionError(absl::StrCat("it has schema version ", version,
                                                      ", this build knows ", SchemaVersion(),
                                                      "; run the newer evenkeeld that wrote it"));
  }
  return absl::OkStatus();
}

absl::Status RunStep(Database* db, int64_t version) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  absl::Status status =
      db->Execute(absl::StrCat(kSteps[version], "PRAGMA application_id = ", kApplicationId,
                               "; PRAGMA user_version = ", version + 1, ";"));
  if (!status.ok()) return status;
  return transaction->Commit();
}

}  // namespace

int SchemaVersion() { return static_cast<int>(std::size(kSteps)); }

absl::Status Migrate(Database* db) {
  absl::StatusOr<int64_t> version = db->QueryInt("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (absl::Status status = CheckOwner(db, *version); !status.ok()) return status;
  for (int64_t step = *version; step < SchemaVersion(); ++step) {
    if (absl::Status status = RunStep(db, step); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::history
