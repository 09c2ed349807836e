// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_CAPTURE_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_CAPTURE_CONVERT_H_

#include "absl/status/statusor.h"
#include "control/engine/capture.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

v1::CaptureRequest ToProto(const engine::CaptureRequest& request);
// InvalidArgument: a duration that is none. Limits are the engine's to judge.
absl::StatusOr<engine::CaptureRequest> FromProto(const v1::CaptureRequest& request);

v1::CaptureResponse ToProto(const engine::CaptureNews& news);
v1::CaptureResponse ToProto(const engine::CaptureReport& report);
engine::CaptureNews NewsFromProto(v1::CaptureResponse response);
// Of a response with a summary.
engine::CaptureReport ReportFromProto(const v1::CaptureResponse& response);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_CAPTURE_CONVERT_H_
