// SPDX-License-Identifier: Apache-2.0
//
// evenkeel.v1.Config and its parts to model values and back.
#ifndef EVENKEEL_CONTROL_RPC_CONFIG_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_CONFIG_CONVERT_H_

#include <string>

#include "control/model/config.h"
#include "control/model/diagnostic.h"
#include "control/rpc/enum_convert.h"
#include "evenkeel/v1/config.pb.h"

namespace evenkeel::rpc {

v1::VipLimits ToProto(const model::VipLimits& limits);
v1::Pool ToProto(const model::Pool& pool);
v1::Config ToProto(const model::Config& config);

// What a message can say and the model cannot is a problem: addresses that do not parse, unknown
// enum values, ports above 65535, durations that are negative or no whole milliseconds. The result
// is complete only where no problem was added.
model::Pool PoolFromProto(const v1::Pool& pool, const std::string& path, Problems* problems);
model::Config ConfigFromProto(const v1::Config& config, Problems* problems);
model::Vip VipFromProto(const v1::Vip& vip, const std::string& path, Problems* problems);
model::IpAddress AddressFromProto(const std::string& text, const std::string& path,
                                  Problems* problems);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_CONFIG_CONVERT_H_
