// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_CAPTURE_CLIENT_H_
#define EVENKEEL_CONTROL_RPC_CAPTURE_CLIENT_H_

#include "control/engine/capture.h"
#include "evenkeel/v1/control.grpc.pb.h"

namespace evenkeel::rpc {

// One Capture stream. `sink` is asked also while the daemon says nothing, be it for good. `report`
// is the daemon's or, where `sink` ended it, what had come until then.
grpc::Status ReadCapture(v1::Control::Stub& stub, const engine::CaptureRequest& request,
                         const engine::CaptureSink& sink, engine::CaptureReport* report);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_CAPTURE_CLIENT_H_
