// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HISTORY_RETENTION_H_
#define EVENKEEL_CONTROL_HISTORY_RETENTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "control/history/database.h"

namespace evenkeel::history {

// So many of the newest applied revisions stay whatever their age: there is always a way back.
inline constexpr int64_t kKeptRevisions = 20;

// Removes refusals and revisions from before `unix_ns`, and the pieces of configurations that
// nothing has any more. The newest applied revisions stay, and the last one known as good.
absl::Status Prune(Database* db, int64_t unix_ns);

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_RETENTION_H_
