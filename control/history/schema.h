// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HISTORY_SCHEMA_H_
#define EVENKEEL_CONTROL_HISTORY_SCHEMA_H_

#include "absl/status/status.h"
#include "control/history/database.h"

namespace evenkeel::history {

// What this build writes; `PRAGMA user_version` of the database.
int SchemaVersion();

// Brings `db` to SchemaVersion(), step by step, each step in a transaction of its own.
// FailedPrecondition: written by a newer build, or by another program.
absl::Status Migrate(Database* db);

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_SCHEMA_H_
