// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HISTORY_HEALTH_LOG_H_
#define EVENKEEL_CONTROL_HISTORY_HEALTH_LOG_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/history/database.h"
#include "control/history/history.h"

namespace evenkeel::history {

// Who went out of the tables by its health, and who came back.
class HealthLog {
 public:
  absl::Status Prepare(Database* db);

  absl::Status Add(Database* db, const std::vector<HealthChange>& changes);  // all or none
  // The last change of each server that has less than its share, by pool and server.
  absl::StatusOr<std::vector<HealthChange>> Reduced();
  // Those since `unix_ns` by which a server went out or came back, in the order of the record; not
  // the steps of a slow start.
  absl::StatusOr<std::vector<HealthChange>> MovesSince(int64_t unix_ns);
  // Newest first, those before `before_unix_ns`; of one pool, or with "" of all.
  absl::StatusOr<std::vector<HealthChange>> List(uint32_t limit, int64_t before_unix_ns,
                                                 const std::string& pool);

 private:
  Statement insert_, reduced_, moves_, list_;
};

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_HEALTH_LOG_H_
