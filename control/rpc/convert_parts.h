// SPDX-License-Identifier: Apache-2.0
//
// The parts of a configuration that files of their own convert; for config_convert.cc alone.
#ifndef EVENKEEL_CONTROL_RPC_CONVERT_PARTS_H_
#define EVENKEEL_CONTROL_RPC_CONVERT_PARTS_H_

#include <chrono>
#include <string>

#include "control/rpc/config_convert.h"

namespace evenkeel::rpc {

void SetDuration(std::chrono::milliseconds value, google::protobuf::Duration* duration);
std::chrono::milliseconds DurationFromProto(const google::protobuf::Duration& duration,
                                            const std::string& path, Problems* problems);
uint16_t PortFromProto(uint32_t port, const std::string& path, Problems* problems);

void HealthCheckToProto(const model::HealthCheck& check, v1::HealthCheck* out);
model::HealthCheck HealthCheckFromProto(const v1::HealthCheck& check, const std::string& path,
                                        Problems* problems);

model::VipLimits LimitsFromProto(const v1::VipLimits& limits);

void SourceRulesToProto(const model::SourceRules& rules, v1::SourceRules* out);
model::SourceRules SourceRulesFromProto(const v1::SourceRules& rules, const std::string& path,
                                        Problems* problems);

void PolicyToProto(const model::Policy& policy, v1::Policy* out);
model::Policy PolicyFromProto(const v1::Policy& policy, const std::string& path,
                              Problems* problems);

// Writes only what is not the default.
void TreatmentToProto(const model::Pool& pool, v1::Pool* out);
void TreatmentFromProto(const v1::Pool& pool, const std::string& path, model::Pool* out,
                        Problems* problems);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_CONVERT_PARTS_H_
