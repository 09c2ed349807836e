// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_ALARM_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_ALARM_CONVERT_H_

#include "control/detect/report.h"
#include "control/rpc/enum_convert.h"
#include "evenkeel/v1/control.pb.h"

namespace evenkeel::rpc {

// Words that are not known, as of another version, are problems.
void Encode(const detect::Alarm& alarm, v1::Alarm* out);
detect::Alarm Decode(const v1::Alarm& alarm, Problems* problems);

void Encode(const detect::PoolReport& report, v1::Distribution* out);
detect::PoolReport Decode(const std::string& pool, const v1::Distribution& report,
                          Problems* problems);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_ALARM_CONVERT_H_
