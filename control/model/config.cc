// SPDX-License-Identifier: Apache-2.0
#include "control/model/config.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "absl/time/time.h"

namespace evenkeel::model {
namespace {

template <typename E>
using Names = std::span<const std::pair<E, std::string_view>>;

constexpr std::pair<Protocol, std::string_view> kProtocols[] = {
    {Protocol::kTcp, "tcp"}, {Protocol::kUdp, "udp"}, {Protocol::kQuic, "quic"}};
constexpr std::pair<Forwarding, std::string_view> kForwardings[] = {
    {Forwarding::kIpip, "ipip"}, {Forwarding::kL2, "l2"}, {Forwarding::kGue, "gue"}};
constexpr std::pair<Affinity, std::string_view> kAffinities[] = {
    {Affinity::kConnection, "connection"},
    {Affinity::kFlow, "flow"},
    {Affinity::kSource, "source"}};
constexpr std::pair<SpreadBy, std::string_view> kSpreadBys[] = {
    {SpreadBy::kConnection, "connection"}, {SpreadBy::kDestinationPort, "destination_port"}};
constexpr std::pair<CapacityUnit, std::string_view> kCapacityUnits[] = {
    {CapacityUnit::kPackets, "packets"},
    {CapacityUnit::kBits, "bits"},
    {CapacityUnit::kNewFlows, "new_flows"}};
constexpr std::pair<OutOfOrder, std::string_view> kOutOfOrders[] = {
    {OutOfOrder::kDrop, "drop"}, {OutOfOrder::kForward, "forward"}};
constexpr std::pair<AdminState, std::string_view> kAdminStates[] = {
    {AdminState::kEnabled, "enabled"},
    {AdminState::kDraining, "draining"},
    {AdminState::kDisabled, "disabled"}};
constexpr std::pair<HealthCheck::Type, std::string_view> kHealthCheckTypes[] = {
    {HealthCheck::Type::kTcp, "tcp"},     {HealthCheck::Type::kHttp, "http"},
    {HealthCheck::Type::kHttps, "https"}, {HealthCheck::Type::kGrpc, "grpc"},
    {HealthCheck::Type::kUdp, "udp"},     {HealthCheck::Type::kIcmp, "icmp"}};
constexpr std::pair<HealthCheck::Method, std::string_view> kHealthCheckMethods[] = {
    {HealthCheck::Method::kGet, "GET"}, {HealthCheck::Method::kHead, "HEAD"}};
constexpr std::pair<HealthCheck::Start, std::string_view> kHealthCheckStarts[] = {
    {HealthCheck::Start::kUp, "up"}, {HealthCheck::Start::kDown, "down"}};
constexpr std::pair<HealthCheck::Through, std::string_view> kHealthCheckThroughs[] = {
    {HealthCheck::Through::kDirect, "direct"}, {HealthCheck::Through::kVip, "vip"}};
constexpr std::pair<HealthCheck::Panic, std::string_view> kHealthCheckPanics[] = {
    {HealthCheck::Panic::kKeepAll, "keep_all"},
    {HealthCheck::Panic::kHoldLast, "hold_last"},
    {HealthCheck::Panic::kWithdraw, "withdraw"}};

constexpr std::pair<SourceAction, std::string_view> kSourceActions[] = {
    {SourceAction::kAllow, "allow"}, {SourceAction::kDeny, "deny"}};

template <typename E>
std::string_view NameOf(Names<E> names, E value) {
  for (const auto& [e, name] : names) {
    if (e == value) return name;
  }
  return "invalid";
}

template <typename E>
std::optional<E> ValueOf(Names<E> names, std::string_view text) {
  for (const auto& [e, name] : names) {
    if (name == text) return e;
  }
  return std::nullopt;
}

template <typename T>
const T* FindByName(const std::vector<T>& items, std::string_view name) {
  auto it = std::find_if(items.begin(), items.end(), [&](const T& t) { return t.name == name; });
  return it == items.end() ? nullptr : &*it;
}

}  // namespace

const Backend* Pool::FindBackend(std::string_view n) const { return FindByName(backends, n); }
const Pool* Config::FindPool(std::string_view n) const { return FindByName(pools, n); }
const Vip* Config::FindVip(std::string_view n) const { return FindByName(vips, n); }
const SourceRules* Config::FindSourceRules(std::string_view n) const {
  return FindByName(source_rules, n);
}

std::string_view ToString(Protocol v) { return NameOf<Protocol>(kProtocols, v); }
std::string_view ToString(Forwarding v) { return NameOf<Forwarding>(kForwardings, v); }
std::string_view ToString(AdminState v) { return NameOf<AdminState>(kAdminStates, v); }
std::string_view ToString(HealthCheck::Type v) {
  return NameOf<HealthCheck::Type>(kHealthCheckTypes, v);
}
std::string_view ToString(HealthCheck::Method v) {
  return NameOf<HealthCheck::Method>(kHealthCheckMethods, v);
}
std::string_view ToString(HealthCheck::Start v) {
  return NameOf<HealthCheck::Start>(kHealthCheckStarts, v);
}
std::string_view ToString(HealthCheck::Through v) {
  return NameOf<HealthCheck::Through>(kHealthCheckThroughs, v);
}
std::string_view ToString(HealthCheck::Panic v) {
  return NameOf<HealthCheck::Panic>(kHealthCheckPanics, v);
}
std::string_view ToString(SourceAction v) { return NameOf<SourceAction>(kSourceActions, v); }
std::optional<Protocol> ParseProtocol(std::string_view text) {
  return ValueOf<Protocol>(kProtocols, text);
}
std::optional<Forwarding> ParseForwarding(std::string_view text) {
  return ValueOf<Forwarding>(kForwardings, text);
}
std::optional<AdminState> ParseAdminState(std::string_view text) {
  return ValueOf<AdminState>(kAdminStates, text);
}
std::optional<HealthCheck::Type> ParseHealthCheckType(std::string_view text) {
  return ValueOf<HealthCheck::Type>(kHealthCheckTypes, text);
}
std::optional<HealthCheck::Method> ParseHealthCheckMethod(std::string_view text) {
  return ValueOf<HealthCheck::Method>(kHealthCheckMethods, text);
}
std::optional<HealthCheck::Start> ParseHealthCheckStart(std::string_view text) {
  return ValueOf<HealthCheck::Start>(kHealthCheckStarts, text);
}
std::optional<HealthCheck::Through> ParseHealthCheckThrough(std::string_view text) {
  return ValueOf<HealthCheck::Through>(kHealthCheckThroughs, text);
}
std::optional<HealthCheck::Panic> ParseHealthCheckPanic(std::string_view text) {
  return ValueOf<HealthCheck::Panic>(kHealthCheckPanics, text);
}
std::string_view ToString(Affinity v) { return NameOf<Affinity>(kAffinities, v); }
std::string_view ToString(SpreadBy v) { return NameOf<SpreadBy>(kSpreadBys, v); }
std::string_view ToString(CapacityUnit v) {
  return v == CapacityUnit::kNone ? "none" : NameOf<CapacityUnit>(kCapacityUnits, v);
}
std::optional<CapacityUnit> ParseCapacityUnit(std::string_view text) {
  return ValueOf<CapacityUnit>(kCapacityUnits, text);
}
std::string_view ToString(OutOfOrder v) { return NameOf<OutOfOrder>(kOutOfOrders, v); }
std::string ToString(const StatusRange& range) {
  std::string text = std::to_string(range.first);
  return range.first == range.last ? text : text + "-" + std::to_string(range.last);
}
std::string ToString(const Dscp& dscp) { return dscp.copy ? "copy" : std::to_string(dscp.value); }
std::optional<Affinity> ParseAffinity(std::string_view text) {
  return ValueOf<Affinity>(kAffinities, text);
}
std::optional<SpreadBy> ParseSpreadBy(std::string_view text) {
  return ValueOf<SpreadBy>(kSpreadBys, text);
}
std::optional<OutOfOrder> ParseOutOfOrder(std::string_view text) {
  return ValueOf<OutOfOrder>(kOutOfOrders, text);
}

std::optional<StatusRange> ParseStatusRange(std::string_view text) {
  const auto code = [](std::string_view digits, uint16_t& value) {
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    return digits.size() == 3 && error == std::errc() && stop == end;
  };
  StatusRange range;
  if (!code(text.substr(0, 3), range.first)) return std::nullopt;
  range.last = range.first;
  if (text.size() == 3) return range;
  if (text[3] != '-' || !code(text.substr(4), range.last)) return std::nullopt;
  return range;
}

std::string TimestampText(int64_t unix_s) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(unix_s), absl::UTCTimeZone());
}

std::optional<uint64_t> ParseServerId(std::string_view text, uint8_t length) {
  if (length == 0 || length > kMaxServerIdLength || text.size() != 2u * length) return std::nullopt;
  uint64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return id;
}

std::optional<SourceAction> ParseSourceAction(std::string_view text) {
  return ValueOf<SourceAction>(kSourceActions, text);
}

}  // namespace evenkeel::model
