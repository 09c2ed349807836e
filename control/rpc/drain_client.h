// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_DRAIN_CLIENT_H_
#define EVENKEEL_CONTROL_RPC_DRAIN_CLIENT_H_

#include "control/engine/drain.h"
#include "evenkeel/v1/control.grpc.pb.h"

namespace evenkeel::rpc {

// One WatchDrain stream. `sink` is asked also while the daemon says nothing, be it for good.
grpc::Status ReadDrain(v1::Control::Stub& stub, const engine::DrainQuery& query,
                       const engine::DrainSink& sink);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_DRAIN_CLIENT_H_
