// SPDX-License-Identifier: Apache-2.0
//
// The enumerations of evenkeel.v1.Config to the model's and back, each from one table.
#ifndef EVENKEEL_CONTROL_RPC_ENUM_CONVERT_H_
#define EVENKEEL_CONTROL_RPC_ENUM_CONVERT_H_

#include <string>
#include <vector>

#include "control/model/config.h"
#include "control/model/diagnostic.h"
#include "evenkeel/v1/config.pb.h"

namespace evenkeel::rpc {

// Where problems are collected; `path` is the field that is being read ("pools[0].backends[2]").
using Problems = std::vector<model::Diagnostic>;

void AddProblem(Problems* problems, std::string field, std::string message);

// ToProto of a value, FromProto of a number: one that is not known, or is missing where there is no
// default, is a problem that lists the values.
#define EK_RPC_ENUM(Model, Proto) \
  Proto ToProto(Model value);     \
  Model FromProto(Proto value, const std::string& path, Problems* problems)

EK_RPC_ENUM(model::Protocol, v1::Protocol);
EK_RPC_ENUM(model::Forwarding, v1::Forwarding);
EK_RPC_ENUM(model::AdminState, v1::AdminState);
EK_RPC_ENUM(model::SourceAction, v1::SourceAction);
EK_RPC_ENUM(model::SpreadBy, v1::SpreadBy);
EK_RPC_ENUM(model::CapacityUnit, v1::CapacityUnit);
EK_RPC_ENUM(model::Affinity, v1::Affinity);
EK_RPC_ENUM(model::OutOfOrder, v1::OutOfOrder);
EK_RPC_ENUM(model::HealthCheck::Type, v1::HealthCheck::Type);
EK_RPC_ENUM(model::HealthCheck::Method, v1::HealthCheck::Method);
EK_RPC_ENUM(model::HealthCheck::Start, v1::HealthCheck::Start);
EK_RPC_ENUM(model::HealthCheck::Panic, v1::HealthCheck::Panic);
EK_RPC_ENUM(model::HealthCheck::Through, v1::HealthCheck::Through);

#undef EK_RPC_ENUM

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_ENUM_CONVERT_H_
