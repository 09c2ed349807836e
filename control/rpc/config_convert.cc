// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/config_convert.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "control/rpc/convert_parts.h"
#include "control/rpc/enum_convert.h"

namespace evenkeel::rpc {
namespace {

std::string Element(const std::string& path, const char* list, int index) {
  return absl::StrCat(path, path.empty() ? "" : ".", list, "[", index, "]");
}

void SlowStartToProto(const model::SlowStart& start, v1::SlowStart* out) {
  SetDuration(start.over, out->mutable_over());
  out->set_max_step_fraction(start.max_step_fraction);
  out->set_new_backends(start.new_backends);
}

model::SlowStart SlowStartFromProto(const v1::SlowStart& start, const std::string& path,
                                    Problems* problems) {
  model::SlowStart result;
  if (start.has_over()) {
    result.over = DurationFromProto(start.over(), absl::StrCat(path, ".over"), problems);
  }
  if (start.has_max_step_fraction()) result.max_step_fraction = start.max_step_fraction();
  result.new_backends = start.new_backends();
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
  result.state = FromProto(backend.state(), absl::StrCat(path, ".state"), problems);
  result.server_id = backend.server_id();
  return result;
}

}  // namespace

uint16_t PortFromProto(uint32_t port, const std::string& path, Problems* problems) {
  if (port > std::numeric_limits<uint16_t>::max()) {
    AddProblem(problems, path, absl::StrCat("is ", port, "; write 0..65535"));
    return 0;
  }
  return static_cast<uint16_t>(port);
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
  if (pool.slow_start != model::SlowStart{}) {
    SlowStartToProto(pool.slow_start, out.mutable_slow_start());
  }
  if (pool.capacity_unit != model::CapacityUnit::kNone) {
    out.set_capacity_unit(ToProto(pool.capacity_unit));
  }
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
  if (config.policy != model::Policy{}) PolicyToProto(config.policy, out.mutable_policy());
  return out;
}

model::IpAddress AddressFromProto(const std::string& text, const std::string& path,
                                  Problems* problems) {
  absl::StatusOr<model::IpAddress> address = model::IpAddress::Parse(text);
  if (address.ok()) return *address;
  AddProblem(problems, path, std::string(address.status().message()));
  return {};
}

model::Vip VipFromProto(const v1::Vip& vip, const std::string& path, Problems* problems) {
  model::Vip result;
  result.name = vip.name();
  result.address = AddressFromProto(vip.address(), absl::StrCat(path, ".address"), problems);
  result.port = PortFromProto(vip.port(), absl::StrCat(path, ".port"), problems);
  result.protocol = FromProto(vip.protocol(), absl::StrCat(path, ".protocol"), problems);
  result.pool = vip.pool();
  result.source_rules = vip.source_rules();
  result.limits = LimitsFromProto(vip.limits());
  result.spread_by = FromProto(vip.spread_by(), absl::StrCat(path, ".spread_by"), problems);
  if (vip.has_tracking()) result.tracking = vip.tracking();
  return result;
}

model::Pool PoolFromProto(const v1::Pool& pool, const std::string& path, Problems* problems) {
  model::Pool result;
  result.name = pool.name();
  result.forwarding = FromProto(pool.forwarding(), absl::StrCat(path, ".forwarding"), problems);
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
  if (pool.has_policy()) {
    result.policy = PolicyFromProto(pool.policy(), absl::StrCat(path, ".policy"), problems);
  }
  result.slow_start =
      SlowStartFromProto(pool.slow_start(), absl::StrCat(path, ".slow_start"), problems);
  result.capacity_unit =
      FromProto(pool.capacity_unit(), absl::StrCat(path, ".capacity_unit"), problems);
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
  if (config.has_policy()) result.policy = PolicyFromProto(config.policy(), "policy", problems);
  return result;
}

}  // namespace evenkeel::rpc
