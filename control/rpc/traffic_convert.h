// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_TRAFFIC_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_TRAFFIC_CONVERT_H_

#include "control/traffic/live_traffic.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

v1::LiveTraffic ToProto(const traffic::LiveTraffic& live);
traffic::LiveTraffic FromProto(const v1::LiveTraffic& live);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_TRAFFIC_CONVERT_H_
