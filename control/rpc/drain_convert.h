// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_DRAIN_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_DRAIN_CONVERT_H_

#include "absl/status/statusor.h"
#include "control/engine/drain.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

v1::DrainRequest ToProto(const engine::DrainQuery& query);
// InvalidArgument names the field.
absl::StatusOr<engine::DrainQuery> FromProto(const v1::DrainRequest& request);

v1::DrainProgress ToProto(const engine::DrainProgress& progress);
absl::StatusOr<engine::DrainProgress> FromProto(const v1::DrainProgress& message);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_DRAIN_CONVERT_H_
