// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/enum_convert.h"

#include <google/protobuf/descriptor.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace evenkeel::rpc {
namespace {

template <typename Model, typename Proto>
struct EnumTable {
  std::vector<std::pair<Model, Proto>> values;
  // Of a message that does not say; without one it must.
  std::optional<Model> absent;
  // Where a number is a problem: the value that does the least.
  Model fallback;
};

const EnumTable<model::Protocol, v1::Protocol> kProtocols = {
    {{model::Protocol::kTcp, v1::PROTOCOL_TCP},
     {model::Protocol::kUdp, v1::PROTOCOL_UDP},
     {model::Protocol::kQuic, v1::PROTOCOL_QUIC}},
    {},
    model::Protocol::kTcp};

const EnumTable<model::Forwarding, v1::Forwarding> kForwardings = {
    {{model::Forwarding::kIpip, v1::FORWARDING_IPIP},
     {model::Forwarding::kL2, v1::FORWARDING_L2},
     {model::Forwarding::kGue, v1::FORWARDING_GUE}},
    model::Forwarding::kIpip,
    model::Forwarding::kIpip};

const EnumTable<model::AdminState, v1::AdminState> kAdminStates = {
    {{model::AdminState::kEnabled, v1::ADMIN_STATE_ENABLED},
     {model::AdminState::kDraining, v1::ADMIN_STATE_DRAINING},
     {model::AdminState::kDisabled, v1::ADMIN_STATE_DISABLED}},
    model::AdminState::kEnabled,
    model::AdminState::kDisabled};

const EnumTable<model::SourceAction, v1::SourceAction> kSourceActions = {
    {{model::SourceAction::kAllow, v1::SOURCE_ACTION_ALLOW},
     {model::SourceAction::kDeny, v1::SOURCE_ACTION_DENY}},
    model::SourceAction::kAllow,
    model::SourceAction::kAllow};

const EnumTable<model::SpreadBy, v1::SpreadBy> kSpreads = {
    {{model::SpreadBy::kConnection, v1::SPREAD_BY_CONNECTION},
     {model::SpreadBy::kDestinationPort, v1::SPREAD_BY_DESTINATION_PORT}},
    model::SpreadBy::kConnection,
    model::SpreadBy::kConnection};

const EnumTable<model::CapacityUnit, v1::CapacityUnit> kCapacityUnits = {
    {{model::CapacityUnit::kPackets, v1::CAPACITY_UNIT_PACKETS},
     {model::CapacityUnit::kBits, v1::CAPACITY_UNIT_BITS},
     {model::CapacityUnit::kNewFlows, v1::CAPACITY_UNIT_NEW_FLOWS}},
    model::CapacityUnit::kNone,
    model::CapacityUnit::kNone};

const EnumTable<model::Affinity, v1::Affinity> kAffinities = {
    {{model::Affinity::kConnection, v1::AFFINITY_CONNECTION},
     {model::Affinity::kFlow, v1::AFFINITY_FLOW},
     {model::Affinity::kSource, v1::AFFINITY_SOURCE}},
    model::Affinity::kConnection,
    model::Affinity::kConnection};

const EnumTable<model::OutOfOrder, v1::OutOfOrder> kOutOfOrders = {
    {{model::OutOfOrder::kDrop, v1::OUT_OF_ORDER_DROP},
     {model::OutOfOrder::kForward, v1::OUT_OF_ORDER_FORWARD}},
    model::OutOfOrder::kDrop,
    model::OutOfOrder::kDrop};

const EnumTable<model::HealthCheck::Type, v1::HealthCheck::Type> kHealthTypes = {
    {{model::HealthCheck::Type::kTcp, v1::HealthCheck::TCP},
     {model::HealthCheck::Type::kHttp, v1::HealthCheck::HTTP},
     {model::HealthCheck::Type::kHttps, v1::HealthCheck::HTTPS},
     {model::HealthCheck::Type::kGrpc, v1::HealthCheck::GRPC},
     {model::HealthCheck::Type::kUdp, v1::HealthCheck::UDP},
     {model::HealthCheck::Type::kIcmp, v1::HealthCheck::ICMP}},
    {},
    model::HealthCheck::Type::kTcp};

const EnumTable<model::HealthCheck::Method, v1::HealthCheck::Method> kHealthMethods = {
    {{model::HealthCheck::Method::kGet, v1::HealthCheck::GET},
     {model::HealthCheck::Method::kHead, v1::HealthCheck::HEAD}},
    model::HealthCheck::Method::kGet,
    model::HealthCheck::Method::kGet};

const EnumTable<model::HealthCheck::Start, v1::HealthCheck::Start> kHealthStarts = {
    {{model::HealthCheck::Start::kUp, v1::HealthCheck::UP},
     {model::HealthCheck::Start::kDown, v1::HealthCheck::DOWN}},
    model::HealthCheck::Start::kUp,
    model::HealthCheck::Start::kUp};

const EnumTable<model::HealthCheck::Panic, v1::HealthCheck::Panic> kHealthPanics = {
    {{model::HealthCheck::Panic::kKeepAll, v1::HealthCheck::KEEP_ALL},
     {model::HealthCheck::Panic::kHoldLast, v1::HealthCheck::HOLD_LAST},
     {model::HealthCheck::Panic::kWithdraw, v1::HealthCheck::WITHDRAW}},
    model::HealthCheck::Panic::kKeepAll,
    model::HealthCheck::Panic::kKeepAll};

const EnumTable<model::HealthCheck::Through, v1::HealthCheck::Through> kHealthThroughs = {
    {{model::HealthCheck::Through::kDirect, v1::HealthCheck::DIRECT},
     {model::HealthCheck::Through::kVip, v1::HealthCheck::VIP}},
    model::HealthCheck::Through::kDirect,
    model::HealthCheck::Through::kDirect};

template <typename Model, typename Proto>
Proto Find(const EnumTable<Model, Proto>& table, Model value) {
  for (const auto& [model, proto] : table.values) {
    if (model == value) return proto;
  }
  return Proto{};  // unspecified
}

// "A, B or C".
template <typename Model, typename Proto>
std::string NamesOf(const EnumTable<Model, Proto>& table) {
  std::string names;
  for (size_t i = 0; i < table.values.size(); ++i) {
    const char* before = i == 0 ? "" : i + 1 == table.values.size() ? " or " : ", ";
    absl::StrAppend(&names, before,
                    google::protobuf::GetEnumDescriptor<Proto>()
                        ->FindValueByNumber(table.values[i].second)
                        ->name());
  }
  return names;
}

template <typename Model, typename Proto>
Model Find(const EnumTable<Model, Proto>& table, Proto value, const std::string& path,
           Problems* problems) {
  for (const auto& [model, proto] : table.values) {
    if (proto == value) return model;
  }
  const int number = static_cast<int>(value);
  if (number == 0 && table.absent) return *table.absent;
  AddProblem(problems, path,
             absl::StrCat(number == 0 ? std::string("is missing")
                                      : absl::StrCat("has the unknown value ", number),
                          "; write ", NamesOf(table)));
  return table.fallback;
}

}  // namespace

void AddProblem(Problems* problems, std::string field, std::string message) {
  problems->push_back({.location = {}, .field = std::move(field), .message = std::move(message)});
}

#define EK_RPC_ENUM(Model, Proto, table)                                      \
  Proto ToProto(Model value) { return Find(table, value); }                   \
  Model FromProto(Proto value, const std::string& path, Problems* problems) { \
    return Find(table, value, path, problems);                                \
  }

EK_RPC_ENUM(model::Protocol, v1::Protocol, kProtocols)
EK_RPC_ENUM(model::Forwarding, v1::Forwarding, kForwardings)
EK_RPC_ENUM(model::AdminState, v1::AdminState, kAdminStates)
EK_RPC_ENUM(model::SourceAction, v1::SourceAction, kSourceActions)
EK_RPC_ENUM(model::SpreadBy, v1::SpreadBy, kSpreads)
EK_RPC_ENUM(model::CapacityUnit, v1::CapacityUnit, kCapacityUnits)
EK_RPC_ENUM(model::Affinity, v1::Affinity, kAffinities)
EK_RPC_ENUM(model::OutOfOrder, v1::OutOfOrder, kOutOfOrders)
EK_RPC_ENUM(model::HealthCheck::Type, v1::HealthCheck::Type, kHealthTypes)
EK_RPC_ENUM(model::HealthCheck::Method, v1::HealthCheck::Method, kHealthMethods)
EK_RPC_ENUM(model::HealthCheck::Start, v1::HealthCheck::Start, kHealthStarts)
EK_RPC_ENUM(model::HealthCheck::Panic, v1::HealthCheck::Panic, kHealthPanics)
EK_RPC_ENUM(model::HealthCheck::Through, v1::HealthCheck::Through, kHealthThroughs)

#undef EK_RPC_ENUM

}  // namespace evenkeel::rpc
