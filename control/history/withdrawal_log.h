// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_HISTORY_WITHDRAWAL_LOG_H_
#define EVENKEEL_CONTROL_HISTORY_WITHDRAWAL_LOG_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/history/database.h"
#include "control/history/history.h"

namespace evenkeel::history {

// Which VIPs operators withdrew, and announced again.
class WithdrawalLog {
 public:
  absl::Status Prepare(Database* db);

  absl::Status Add(Database* db, const std::vector<Withdrawal>& withdrawals);  // all or none
  // The last word on each VIP, and on all; what "all" came after is left out. In order.
  absl::StatusOr<std::vector<Withdrawal>> InForce();

 private:
  Statement insert_, in_force_;
};

}  // namespace evenkeel::history

#endif  // EVENKEEL_CONTROL_HISTORY_WITHDRAWAL_LOG_H_
