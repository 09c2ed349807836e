// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_ENGINE_REQUEST_CHECK_H_
#define EVENKEEL_CONTROL_ENGINE_REQUEST_CHECK_H_

#include <cstddef>
#include <vector>

#include "control/engine/engine.h"

namespace evenkeel::engine {

inline constexpr size_t kMaxReasonBytes = 1024;
inline constexpr size_t kMaxTicketBytes = 128;
inline constexpr size_t kMaxOverrides = 32;

// What is wrong with the request itself, before its change is looked at. Apply demands an etag and
// a reason; Plan does not.
std::vector<model::Diagnostic> CheckPlan(const Request& request);
std::vector<model::Diagnostic> CheckApply(const Request& request);
std::vector<model::Diagnostic> CheckSettlement(const Settlement& settlement);
std::vector<model::Diagnostic> CheckRollback(const Rollback& rollback);
// `withdraw`: to withdraw, which needs a reason.
std::vector<model::Diagnostic> CheckWithdrawal(const WithdrawalRequest& request, bool withdraw);

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_REQUEST_CHECK_H_
