// SPDX-License-Identifier: Apache-2.0
//
// The history's database as a file: its place, its modes, how it is opened, and what to do where it
// fails.
#ifndef EVENKEEL_CONTROL_HISTORY_DATABASE_FILE_H_
#define EVENKEEL_CONTROL_HISTORY_DATABASE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "control/history/database.h"

namespace evenkeel::history {

// `status` with the database that it is about and the remedy around it.
absl::Status Explain(const absl::Status& status, const std::string& path);

absl::Status PrepareDirectory(const std::string& dir);
// SQLite gives its -wal and -shm files the mode of the database.
absl::Status PrepareFile(const std::string& path);

// An intent must survive a power failure before the kernel is touched, so every commit is synced.
absl::Status Configure(Database* db);

// DataLoss: it is damaged.
absl::Status CheckIntegrity(Database* db);

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_DATABASE_FILE_H_
