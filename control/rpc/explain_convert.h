// SPDX-License-Identifier: Apache-2.0
//
// Packets to be explained and their explanations, to messages and back. A message from the daemon
// that does not convert is Internal: client and daemon are of different versions.
#ifndef EVENKEEL_CONTROL_RPC_EXPLAIN_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_EXPLAIN_CONVERT_H_

#include "absl/status/statusor.h"
#include "control/engine/explain.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

v1::ExplainRequest ToProto(const engine::ExplainRequest& request);
absl::StatusOr<engine::ExplainRequest> FromProto(const v1::ExplainRequest& request);

v1::ExplainResponse ToProto(const engine::ExplainReport& report);
absl::StatusOr<engine::ExplainReport> FromProto(const v1::ExplainResponse& response);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_EXPLAIN_CONVERT_H_
