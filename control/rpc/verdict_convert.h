// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_VERDICT_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_VERDICT_CONVERT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/guard/guard.h"
#include "control/rpc/config_convert.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

v1::Verdict ToProto(const guard::Verdict& verdict);
// Severities that are not known are read as "block".
absl::StatusOr<guard::Verdict> FromProto(const v1::Verdict& verdict);

// Internal where an answer of the daemon had problems: the versions do not fit.
absl::Status Mismatch(const Problems& problems);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_VERDICT_CONVERT_H_
