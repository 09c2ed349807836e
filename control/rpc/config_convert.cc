// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/config_convert.h"

#include <limits>

#include "absl/strings/str_cat.h"

namespace evenkeel::rpc {
namespace {

using std::chrono::milliseconds;

void Add(Problems* problems, std::string field, std::string message) {
  problems->push_back({.location = {}, .field = std::move(field), .message = std::move(message)});
}

std::string Element(const std::string& path, const char* list, int index) {
  return absl::StrCat(path, path.empty() ? "" : ".", list, "[", index, "]");
}

void SetDuration(milliseconds value, google::protobuf::Duration* duration) {
  duration->set_seconds(value.count() / 1000);
  duration->set_nanos(static_cast<int32_t>(value.count() % 1000) * 1'000'000);
}

milliseconds DurationFromProto(const google::protobuf::Duration& duration, const std::string& path,
                               Problems* problems) {
  constexpr int64_t kMaxSeconds = 315'576'000'000;  // of google.protobuf.Duration
  constexpr int32_t kNanosPerMilli = 1'000'000;
  if (duration.seconds() < 0 || duration.nanos() < 0 || duration.seconds() > kMaxSeconds ||
      duration.nanos() >= 1000 * kNanosPerMilli) {
    Add(problems, path, "is not a duration of 0 or more; write seconds >= 0, nanos 0..999999999");
    return {};
  }
  if (duration.nanos() % kNanosPerMilli != 0) {
    Add(problems, path, "is finer than a millisecond; write whole milliseconds");
    return {};
  }
  return milliseconds(duration.seconds() * 1000 + duration.nanos() / kNanosPerMilli);
}

uint16_t PortFromProto(uint32_t port, const std::string& path, Problems* problems) {
  if (port > std::numeric_limits<uint16_t>::max()) {
    Add(problems, path, absl::StrCat("is ", port, "; write 0..65535"));
    return 0;
  }
  return static_cast<uint16_t>(port);
}

model::Protocol ProtocolFromProto(v1::Protocol protocol, const std::string& path,
                                  Problems* problems) {
  switch (protocol) {
    case v1::PROTOCOL_TCP:
      return model::Protocol::kTcp;
    case v1::PROTOCOL_UDP:
      return model::Protocol::kUdp;
    case v1::PROTOCOL_QUIC:
      return model::Protocol::kQuic;
    default:
      Add(problems, path,
          absl::StrCat(protocol == v1::PROTOCOL_UNSPECIFIED
                           ? std::string("is missing")
                           : absl::StrCat("has the unknown value ", static_cast<int>(protocol)),
                       "; write PROTOCOL_TCP, PROTOCOL_UDP or PROTOCOL_QUIC"));
      return model::Protocol::kTcp;
  }
}

void RateToProto(const model::RateLimit& limit, v1::RateLimit* out) {
  out->set_rate(limit.rate);
  out->set_burst(limit.burst);
}

model::RateLimit RateFromProto(const v1::RateLimit& limit) {
  return {.rate = limit.rate(), .burst = limit.has_burst() ? limit.burst() : limit.rate()};
}

model::VipLimits LimitsFromProto(const v1::VipLimits& limits) {
  model::VipLimits result;
  if (limits.has_new_flows()) result.new_flows = RateFromProto(limits.new_flows());
  if (limits.has_per_source()) result.per_source = RateFromProto(limits.per_source());
  return result;
}

v1::HealthCheck::Type HealthTypeToProto(model::HealthCheck::Type type) {
  switch (type) {
    case model::HealthCheck::Type::kTcp:
      return v1::HealthCheck::TCP;
    case model::HealthCheck::Type::kHttp:
      return v1::HealthCheck::HTTP;
    case model::HealthCheck::Type::kHttps:
      return v1::HealthCheck::HTTPS;
  }
  return v1::HealthCheck::TYPE_UNSPECIFIED;
}

model::HealthCheck::Type HealthTypeFromProto(v1::HealthCheck::Type type, const std::string& path,
                                             Problems* problems) {
  switch (type) {
    case v1::HealthCheck::TCP:
      return model::HealthCheck::Type::kTcp;
    case v1::HealthCheck::HTTP:
      return model::HealthCheck::Type::kHttp;
    case v1::HealthCheck::HTTPS:
      return model::HealthCheck::Type::kHttps;
    default:
      Add(problems, path,
          absl::StrCat(type == v1::HealthCheck::TYPE_UNSPECIFIED
                           ? std::string("is missing")
                           : absl::StrCat("has the unknown value ", static_cast<int>(type)),
                       "; write TCP, HTTP or HTTPS"));
      return model::HealthCheck::Type::kTcp;
  }
}

void HealthCheckToProto(const model::HealthCheck& check, v1::HealthCheck* out) {
  out->set_type(HealthTypeToProto(check.type));
  out->set_port(check.port);
  out->set_path(check.path);
  SetDuration(check.interval, out->mutable_interval());
  SetDuration(check.timeout, out->mutable_timeout());
  out->set_rise(check.rise);
  out->set_fall(check.fall);
}

model::HealthCheck HealthCheckFromProto(const v1::HealthCheck& check, const std::string& path,
                                        Problems* problems) {
  model::HealthCheck result;
  result.type = HealthTypeFromProto(check.type(), absl::StrCat(path, ".type"), problems);
  result.port = PortFromProto(check.port(), absl::StrCat(path, ".port"), problems);
  if (!check.path().empty()) result.path = check.path();
  if (check.has_interval()) {
    result.interval =
        DurationFromProto(check.interval(), absl::StrCat(path, ".interval"), problems);
  }
  if (check.has_timeout()) {
    result.timeout = DurationFromProto(check.timeout(), absl::StrCat(path, ".timeout"), problems);
  }
  if (check.has_rise()) result.rise = check.rise();
  if (check.has_fall()) result.fall = check.fall();
  return result;
}

void PolicyToProto(const model::Policy& policy, v1::Policy* out) {
  if (policy.min_serving_backends) out->set_min_serving_backends(*policy.min_serving_backends);
  if (policy.single_backend) {
    out->mutable_single_backend()->set_reason(policy.single_backend->reason);
    out->mutable_single_backend()->set_owner(policy.single_backend->owner);
  }
  if (policy.max_share_factor) out->set_max_share_factor(*policy.max_share_factor);
  if (policy.max_share) out->set_max_share(*policy.max_share);
  if (policy.max_removed_fraction) out->set_max_removed_fraction(*policy.max_removed_fraction);
  if (policy.max_remapped_fraction) out->set_max_remapped_fraction(*policy.max_remapped_fraction);
  if (policy.max_weight_ratio) out->set_max_weight_ratio(*policy.max_weight_ratio);
}

model::Policy PolicyFromProto(const v1::Policy& policy) {
  model::Policy result;
  if (policy.has_min_serving_backends()) {
    result.min_serving_backends = policy.min_serving_backends();
  }
  if (policy.has_single_backend()) {
    result.single_backend = model::SingleBackend{.reason = policy.single_backend().reason(),
                                                 .owner = policy.single_backend().owner()};
  }
  if (policy.has_max_share_factor()) result.max_share_factor = policy.max_share_factor();
  if (policy.has_max_share()) result.max_share = policy.max_share();
  if (policy.has_max_removed_fraction()) {
    result.max_removed_fraction = policy.max_removed_fraction();
  }
  if (policy.has_max_remapped_fraction()) {
    result.max_remapped_fraction = policy.max_remapped_fraction();
  }
  if (policy.has_max_weight_ratio()) result.max_weight_ratio = policy.max_weight_ratio();
  return result;
}

void SourceRulesToProto(const model::SourceRules& rules, v1::SourceRules* out) {
  out->set_name(rules.name);
  out->set_default_(ToProto(rules.fallback));
  out->mutable_deny()->Reserve(static_cast<int>(rules.deny.size()));
  for (const model::Prefix& prefix : rules.deny) out->add_deny(prefix.ToString());
  for (const model::Prefix& prefix : rules.allow) out->add_allow(prefix.ToString());
  if (!rules.lockdown) return;
  out->mutable_lockdown()->set_reason(rules.lockdown->reason);
  out->mutable_lockdown()->set_owner(rules.lockdown->owner);
}

// At most some problems of one list: there may be a million.
std::vector<model::Prefix> PrefixesFromProto(
    const google::protobuf::RepeatedPtrField<std::string>& list, const std::string& path,
    Problems* problems) {
  constexpr size_t kMaxProblems = 20;
  std::vector<model::Prefix> prefixes;
  prefixes.reserve(static_cast<size_t>(list.size()));
  size_t unread = 0;
  for (int i = 0; i < list.size(); ++i) {
    const absl::StatusOr<model::Prefix> prefix = model::Prefix::Parse(list[i]);
    if (prefix.ok()) {
      prefixes.push_back(*prefix);
    } else if (++unread <= kMaxProblems) {
      Add(problems, absl::StrCat(path, "[", i, "]"), std::string(prefix.status().message()));
    }
  }
  if (unread > kMaxProblems) {
    Add(problems, path, absl::StrCat("has ", unread - kMaxProblems, " more that are no prefixes"));
  }
  return prefixes;
}

model::SourceRules SourceRulesFromProto(const v1::SourceRules& rules, const std::string& path,
                                        Problems* problems) {
  model::SourceRules result;
  result.name = rules.name();
  result.fallback =
      SourceActionFromProto(rules.default_(), absl::StrCat(path, ".default"), problems);
  result.deny = PrefixesFromProto(rules.deny(), absl::StrCat(path, ".deny"), problems);
  result.allow = PrefixesFromProto(rules.allow(), absl::StrCat(path, ".allow"), problems);
  if (rules.has_lockdown()) {
    result.lockdown = {.reason = rules.lockdown().reason(), .owner = rules.lockdown().owner()};
  }
  return result;
}

void BackendToProto(const model::Backend& backend, v1::Backend* out) {
  out->set_name(backend.name);
  out->set_address(backend.address.ToString());
  out->set_weight(backend.weight);
  if (backend.capacity) out->set_capacity(*backend.capacity);
  out->set_zone(backend.zone);
  out->set_rack(backend.rack);
  for (const auto& [key, value] : backend.labels) (*out->mutable_labels())[key] = value;
  out->set_state(ToProto(backend.state));
  out->set_server_id(backend.server_id);
}

model::Backend BackendFromProto(const v1::Backend& backend, const std::string& path,
                                Problems* problems) {
  model::Backend result;
  result.name = backend.name();
  result.address = AddressFromProto(backend.address(), absl::StrCat(path, ".address"), problems);
  if (backend.has_weight()) result.weight = backend.weight();
  if (backend.has_capacity()) result.capacity = backend.capacity();
  result.zone = backend.zone();
  result.rack = backend.rack();
  result.labels.insert(backend.labels().begin(), backend.labels().end());
  result.state = AdminStateFromProto(backend.state(), absl::StrCat(path, ".state"), problems);
  result.server_id = backend.server_id();
  return result;
}

v1::SpreadBy ToProto(model::SpreadBy spread_by) {
  switch (spread_by) {
    case model::SpreadBy::kConnection:
      return v1::SPREAD_BY_CONNECTION;
    case model::SpreadBy::kDestinationPort:
      return v1::SPREAD_BY_DESTINATION_PORT;
  }
  return v1::SPREAD_BY_UNSPECIFIED;
}

v1::Affinity ToProto(model::Affinity affinity) {
  switch (affinity) {
    case model::Affinity::kConnection:
      return v1::AFFINITY_CONNECTION;
    case model::Affinity::kFlow:
      return v1::AFFINITY_FLOW;
    case model::Affinity::kSource:
      return v1::AFFINITY_SOURCE;
  }
  return v1::AFFINITY_UNSPECIFIED;
}

// Only what is not the default.
void TreatmentToProto(const model::Pool& pool, v1::Pool* out) {
  const model::Pool plain;
  if (pool.affinity != plain.affinity) out->set_affinity(ToProto(pool.affinity));
  if (pool.affinity_prefix4 != plain.affinity_prefix4) {
    out->set_affinity_prefix4(pool.affinity_prefix4);
  }
  if (pool.affinity_prefix6 != plain.affinity_prefix6) {
    out->set_affinity_prefix6(pool.affinity_prefix6);
  }
  if (pool.dscp.copy) out->mutable_dscp()->set_copy(true);
  if (pool.dscp.value != 0) out->mutable_dscp()->set_value(pool.dscp.value);
  if (pool.out_of_order_fragments == model::OutOfOrder::kForward) {
    out->set_out_of_order_fragments(v1::OUT_OF_ORDER_FORWARD);
  }
  if (pool.quic) {
    out->mutable_quic()->set_config_id(pool.quic->config_id);
    out->mutable_quic()->set_server_id_length(pool.quic->server_id_length);
  }
}

uint8_t ByteFromProto(uint32_t value, uint32_t largest, const std::string& path,
                      Problems* problems) {
  if (value <= largest) return static_cast<uint8_t>(value);
  Add(problems, path, absl::StrCat("is ", value, "; write at most ", largest));
  return 0;
}

// The number of an enumeration that this program does not know.
template <typename E>
void AddUnknown(E value, const std::string& path, std::string_view known, Problems* problems) {
  Add(problems, path,
      absl::StrCat("has the unknown value ", static_cast<int>(value), "; write ",
                   absl::string_view(known.data(), known.size())));
}

model::SpreadBy SpreadByFromProto(v1::SpreadBy spread_by, const std::string& path,
                                  Problems* problems) {
  switch (spread_by) {
    case v1::SPREAD_BY_UNSPECIFIED:
    case v1::SPREAD_BY_CONNECTION:
      return model::SpreadBy::kConnection;
    case v1::SPREAD_BY_DESTINATION_PORT:
      return model::SpreadBy::kDestinationPort;
    default:
      AddUnknown(spread_by, path, "SPREAD_BY_CONNECTION or SPREAD_BY_DESTINATION_PORT", problems);
      return model::SpreadBy::kConnection;
  }
}

model::Affinity AffinityFromProto(v1::Affinity affinity, const std::string& path,
                                  Problems* problems) {
  switch (affinity) {
    case v1::AFFINITY_UNSPECIFIED:
    case v1::AFFINITY_CONNECTION:
      return model::Affinity::kConnection;
    case v1::AFFINITY_FLOW:
      return model::Affinity::kFlow;
    case v1::AFFINITY_SOURCE:
      return model::Affinity::kSource;
    default:
      AddUnknown(affinity, path, "AFFINITY_CONNECTION, AFFINITY_FLOW or AFFINITY_SOURCE", problems);
      return model::Affinity::kConnection;
  }
}

model::OutOfOrder OutOfOrderFromProto(v1::OutOfOrder out_of_order, const std::string& path,
                                      Problems* problems) {
  switch (out_of_order) {
    case v1::OUT_OF_ORDER_UNSPECIFIED:
    case v1::OUT_OF_ORDER_DROP:
      return model::OutOfOrder::kDrop;
    case v1::OUT_OF_ORDER_FORWARD:
      return model::OutOfOrder::kForward;
    default:
      AddUnknown(out_of_order, path, "OUT_OF_ORDER_DROP or OUT_OF_ORDER_FORWARD", problems);
      return model::OutOfOrder::kDrop;
  }
}

void TreatmentFromProto(const v1::Pool& pool, const std::string& path, model::Pool* out,
                        Problems* problems) {
  constexpr uint32_t kByte = 255;  // what does not fit; the validator knows the ranges
  const auto field = [&](const char* name) { return absl::StrCat(path, ".", name); };
  out->affinity = AffinityFromProto(pool.affinity(), field("affinity"), problems);
  if (pool.affinity_prefix4() != 0) {
    out->affinity_prefix4 =
        ByteFromProto(pool.affinity_prefix4(), kByte, field("affinity_prefix4"), problems);
  }
  if (pool.affinity_prefix6() != 0) {
    out->affinity_prefix6 =
        ByteFromProto(pool.affinity_prefix6(), kByte, field("affinity_prefix6"), problems);
  }
  out->dscp.copy = pool.dscp().copy();
  out->dscp.value = ByteFromProto(pool.dscp().value(), kByte, field("dscp.value"), problems);
  out->out_of_order_fragments =
      OutOfOrderFromProto(pool.out_of_order_fragments(), field("out_of_order_fragments"), problems);
  if (!pool.has_quic()) return;
  out->quic.emplace();
  out->quic->config_id =
      ByteFromProto(pool.quic().config_id(), kByte, field("quic.config_id"), problems);
  out->quic->server_id_length = ByteFromProto(pool.quic().server_id_length(), kByte,
                                              field("quic.server_id_length"), problems);
}

}  // namespace

v1::Protocol ToProto(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::kTcp:
      return v1::PROTOCOL_TCP;
    case model::Protocol::kUdp:
      return v1::PROTOCOL_UDP;
    case model::Protocol::kQuic:
      return v1::PROTOCOL_QUIC;
  }
  return v1::PROTOCOL_UNSPECIFIED;
}

v1::Forwarding ToProto(model::Forwarding forwarding) {
  switch (forwarding) {
    case model::Forwarding::kIpip:
      return v1::FORWARDING_IPIP;
    case model::Forwarding::kL2:
      return v1::FORWARDING_L2;
    case model::Forwarding::kGue:
      return v1::FORWARDING_GUE;
  }
  return v1::FORWARDING_UNSPECIFIED;
}

v1::AdminState ToProto(model::AdminState state) {
  switch (state) {
    case model::AdminState::kEnabled:
      return v1::ADMIN_STATE_ENABLED;
    case model::AdminState::kDraining:
      return v1::ADMIN_STATE_DRAINING;
    case model::AdminState::kDisabled:
      return v1::ADMIN_STATE_DISABLED;
  }
  return v1::ADMIN_STATE_UNSPECIFIED;
}

v1::VipLimits ToProto(const model::VipLimits& limits) {
  v1::VipLimits out;
  if (limits.new_flows) RateToProto(*limits.new_flows, out.mutable_new_flows());
  if (limits.per_source) RateToProto(*limits.per_source, out.mutable_per_source());
  return out;
}

v1::SourceAction ToProto(model::SourceAction action) {
  return action == model::SourceAction::kDeny ? v1::SOURCE_ACTION_DENY : v1::SOURCE_ACTION_ALLOW;
}

model::SourceAction SourceActionFromProto(v1::SourceAction action, const std::string& path,
                                          Problems* problems) {
  switch (action) {
    case v1::SOURCE_ACTION_UNSPECIFIED:
    case v1::SOURCE_ACTION_ALLOW:
      return model::SourceAction::kAllow;
    case v1::SOURCE_ACTION_DENY:
      return model::SourceAction::kDeny;
    default:
      Add(problems, path,
          absl::StrCat("has the unknown value ", static_cast<int>(action),
                       "; write SOURCE_ACTION_ALLOW or SOURCE_ACTION_DENY"));
      return model::SourceAction::kAllow;
  }
}

v1::Pool ToProto(const model::Pool& pool) {
  v1::Pool out;
  out.set_name(pool.name);
  out.set_forwarding(ToProto(pool.forwarding));
  out.set_table_size(pool.table_size);
  TreatmentToProto(pool, &out);
  for (const model::Backend& backend : pool.backends) BackendToProto(backend, out.add_backends());
  if (pool.health_check) HealthCheckToProto(*pool.health_check, out.mutable_health_check());
  if (pool.policy != model::Policy{}) PolicyToProto(pool.policy, out.mutable_policy());
  return out;
}

v1::Config ToProto(const model::Config& config) {
  v1::Config out;
  for (const model::Vip& vip : config.vips) {
    v1::Vip* to = out.add_vips();
    to->set_name(vip.name);
    to->set_address(vip.address.ToString());
    to->set_port(vip.port);
    to->set_protocol(ToProto(vip.protocol));
    to->set_pool(vip.pool);
    to->set_source_rules(vip.source_rules);
    if (vip.limits != model::VipLimits{}) *to->mutable_limits() = ToProto(vip.limits);
    if (vip.spread_by != model::SpreadBy::kConnection) to->set_spread_by(ToProto(vip.spread_by));
    if (!vip.tracking) to->set_tracking(false);
  }
  for (const model::Pool& pool : config.pools) *out.add_pools() = ToProto(pool);
  for (const model::SourceRules& rules : config.source_rules) {
    SourceRulesToProto(rules, out.add_source_rules());
  }
  out.set_global_source_rules(config.global_source_rules);
  return out;
}

model::IpAddress AddressFromProto(const std::string& text, const std::string& path,
                                  Problems* problems) {
  absl::StatusOr<model::IpAddress> address = model::IpAddress::Parse(text);
  if (address.ok()) return *address;
  Add(problems, path, std::string(address.status().message()));
  return {};
}

model::AdminState AdminStateFromProto(v1::AdminState state, const std::string& path,
                                      Problems* problems) {
  switch (state) {
    case v1::ADMIN_STATE_UNSPECIFIED:
    case v1::ADMIN_STATE_ENABLED:
      return model::AdminState::kEnabled;
    case v1::ADMIN_STATE_DRAINING:
      return model::AdminState::kDraining;
    case v1::ADMIN_STATE_DISABLED:
      return model::AdminState::kDisabled;
    default:
      Add(problems, path,
          absl::StrCat("has the unknown value ", static_cast<int>(state),
                       "; write ADMIN_STATE_ENABLED, _DRAINING or _DISABLED"));
      return model::AdminState::kDisabled;
  }
}

model::Forwarding ForwardingFromProto(v1::Forwarding forwarding, const std::string& path,
                                      Problems* problems) {
  switch (forwarding) {
    case v1::FORWARDING_UNSPECIFIED:
    case v1::FORWARDING_IPIP:
      return model::Forwarding::kIpip;
    case v1::FORWARDING_L2:
      return model::Forwarding::kL2;
    case v1::FORWARDING_GUE:
      return model::Forwarding::kGue;
    default:
      AddUnknown(forwarding, path, "FORWARDING_IPIP, FORWARDING_L2 or FORWARDING_GUE", problems);
      return model::Forwarding::kIpip;
  }
}

model::Vip VipFromProto(const v1::Vip& vip, const std::string& path, Problems* problems) {
  model::Vip result;
  result.name = vip.name();
  result.address = AddressFromProto(vip.address(), absl::StrCat(path, ".address"), problems);
  result.port = PortFromProto(vip.port(), absl::StrCat(path, ".port"), problems);
  result.protocol = ProtocolFromProto(vip.protocol(), absl::StrCat(path, ".protocol"), problems);
  result.pool = vip.pool();
  result.source_rules = vip.source_rules();
  result.limits = LimitsFromProto(vip.limits());
  result.spread_by = SpreadByFromProto(vip.spread_by(), absl::StrCat(path, ".spread_by"), problems);
  if (vip.has_tracking()) result.tracking = vip.tracking();
  return result;
}

model::Pool PoolFromProto(const v1::Pool& pool, const std::string& path, Problems* problems) {
  model::Pool result;
  result.name = pool.name();
  result.forwarding =
      ForwardingFromProto(pool.forwarding(), absl::StrCat(path, ".forwarding"), problems);
  if (pool.table_size() != 0) result.table_size = pool.table_size();
  TreatmentFromProto(pool, path, &result, problems);
  result.backends.reserve(static_cast<size_t>(pool.backends_size()));
  for (int i = 0; i < pool.backends_size(); ++i) {
    result.backends.push_back(
        BackendFromProto(pool.backends(i), Element(path, "backends", i), problems));
  }
  if (pool.has_health_check()) {
    result.health_check =
        HealthCheckFromProto(pool.health_check(), absl::StrCat(path, ".health_check"), problems);
  }
  if (pool.has_policy()) result.policy = PolicyFromProto(pool.policy());
  return result;
}

model::Config ConfigFromProto(const v1::Config& config, Problems* problems) {
  model::Config result;
  for (int i = 0; i < config.vips_size(); ++i) {
    result.vips.push_back(VipFromProto(config.vips(i), Element("", "vips", i), problems));
  }
  for (int i = 0; i < config.pools_size(); ++i) {
    result.pools.push_back(PoolFromProto(config.pools(i), Element("", "pools", i), problems));
  }
  for (int i = 0; i < config.source_rules_size(); ++i) {
    result.source_rules.push_back(
        SourceRulesFromProto(config.source_rules(i), Element("", "source_rules", i), problems));
  }
  result.global_source_rules = config.global_source_rules();
  return result;
}

}  // namespace evenkeel::rpc
