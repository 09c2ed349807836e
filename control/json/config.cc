// SPDX-License-Identifier: Apache-2.0
#include "control/json/config.h"

#include <string>

#include "control/model/escaped_bytes.h"

namespace evenkeel::json {
namespace {

using nlohmann::ordered_json;

std::string Duration(std::chrono::milliseconds ms) {
  return ms.count() % 1000 == 0 ? std::to_string(ms.count() / 1000) + "s"
                                : std::to_string(ms.count()) + "ms";
}

void PutText(ordered_json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

template <typename T>
void PutOptional(ordered_json& object, const char* key, const std::optional<T>& value) {
  if (value.has_value()) object[key] = *value;
}

// Only what is not the default.
void PutTreatment(ordered_json& object, const model::Pool& pool) {
  const model::Pool plain;
  if (pool.affinity != plain.affinity) {
    object["affinity"] = std::string(model::ToString(pool.affinity));
  }
  if (pool.affinity_prefix4 != plain.affinity_prefix4) {
    object["affinity_prefix4"] = pool.affinity_prefix4;
  }
  if (pool.affinity_prefix6 != plain.affinity_prefix6) {
    object["affinity_prefix6"] = pool.affinity_prefix6;
  }
  if (pool.dscp.copy) object["dscp"] = "copy";
  if (!pool.dscp.copy && pool.dscp.value != 0) object["dscp"] = pool.dscp.value;
  if (pool.out_of_order_fragments != plain.out_of_order_fragments) {
    object["out_of_order_fragments"] = std::string(model::ToString(pool.out_of_order_fragments));
  }
  if (pool.quic) {
    object["quic"] = {{"config_id", pool.quic->config_id},
                      {"server_id_length", pool.quic->server_id_length}};
  }
}

}  // namespace

ordered_json ToJson(const model::VipLimits& limits) {
  ordered_json object = ordered_json::object();
  const auto put = [&](const char* key, const std::optional<model::RateLimit>& limit) {
    if (limit) object[key] = {{"rate", limit->rate}, {"burst", limit->burst}};
  };
  put("new_flows", limits.new_flows);
  put("per_source", limits.per_source);
  return object;
}

ordered_json ToJson(const model::Vip& vip) {
  ordered_json object = {{"name", vip.name},
                         {"address", vip.address.ToString()},
                         {"port", vip.port},
                         {"protocol", std::string(model::ToString(vip.protocol))},
                         {"pool", vip.pool}};
  PutText(object, "source_rules", vip.source_rules);
  if (vip.limits != model::VipLimits{}) object["limits"] = ToJson(vip.limits);
  if (vip.spread_by != model::SpreadBy::kConnection) {
    object["spread_by"] = std::string(model::ToString(vip.spread_by));
  }
  if (!vip.tracking) object["tracking"] = false;
  return object;
}

ordered_json ToJson(const model::SourceRules& rules) {
  ordered_json object = {{"name", rules.name},
                         {"default", std::string(model::ToString(rules.fallback))}};
  if (rules.lockdown) {
    object["lockdown"] = {{"reason", rules.lockdown->reason}, {"owner", rules.lockdown->owner}};
  }
  for (const auto& [key, list] :
       {std::pair("deny", &rules.deny), std::pair("allow", &rules.allow)}) {
    if (list->empty()) continue;
    ordered_json prefixes = ordered_json::array();
    for (const model::Prefix& prefix : *list) prefixes.push_back(prefix.ToString());
    object[key] = std::move(prefixes);
  }
  return object;
}

ordered_json ToJson(const model::Backend& backend) {
  ordered_json object = {
      {"name", backend.name}, {"address", backend.address.ToString()}, {"weight", backend.weight}};
  PutOptional(object, "capacity", backend.capacity);
  PutText(object, "zone", backend.zone);
  PutText(object, "rack", backend.rack);
  for (const auto& [key, value] : backend.labels) object["labels"][key] = value;
  object["state"] = std::string(model::ToString(backend.state));
  PutText(object, "server_id", backend.server_id);
  return object;
}

// What is asked and what has to come back, beyond the path.
void PutProbe(ordered_json& object, const model::HealthCheck& check) {
  PutText(object, "host", check.host);
  if (check.method != model::HealthCheck::Method::kGet) {
    object["method"] = std::string(model::ToString(check.method));
  }
  for (const model::StatusRange& range : check.status) {
    object["status"].push_back(model::ToString(range));
  }
  PutText(object, "body", check.body);
  if (check.tls) {
    object["tls"]["verify"] = check.tls->verify;
    PutText(object["tls"], "ca", check.tls->ca);
    PutText(object["tls"], "server_name", check.tls->server_name);
  }
  PutText(object, "service", check.service);
  PutText(object, "send", model::ToEscaped(check.send));
  PutText(object, "expect", model::ToEscaped(check.expect));
  PutText(object, "expect_start", model::ToEscaped(check.expect_start));
  if (check.through != model::HealthCheck::Through::kDirect) {
    object["through"] = std::string(model::ToString(check.through));
  }
  if (check.passive) {
    object["passive"]["min_share"] = check.passive->min_share;
    object["passive"]["min_count"] = check.passive->min_count;
  }
}

ordered_json ToJson(const model::HealthCheck& check) {
  ordered_json object = {{"type", std::string(model::ToString(check.type))}};
  if (check.port != 0) object["port"] = check.port;
  const bool http = check.type == model::HealthCheck::Type::kHttp ||
                    check.type == model::HealthCheck::Type::kHttps;
  if (http) object["path"] = check.path;
  object["interval"] = Duration(check.interval);
  object["timeout"] = Duration(check.timeout);
  object["rise"] = check.rise;
  object["fall"] = check.fall;
  const model::HealthCheck plain;
  if (check.start != plain.start) object["start"] = std::string(model::ToString(check.start));
  if (check.panic != plain.panic) object["panic"] = std::string(model::ToString(check.panic));
  PutProbe(object, check);
  return object;
}

ordered_json ToJson(const model::SlowStart& start) {
  const model::SlowStart plain;
  ordered_json object;
  if (start.over != plain.over) object["over"] = Duration(start.over);
  if (start.max_step_fraction != plain.max_step_fraction) {
    object["max_step_fraction"] = start.max_step_fraction;
  }
  if (start.new_backends) object["new_backends"] = true;
  return object;
}

ordered_json ToJson(const model::Policy& policy) {
  ordered_json object = ordered_json::object();
  PutOptional(object, "min_serving_backends", policy.min_serving_backends);
  if (policy.single_backend) {
    object["single_backend"] = {{"reason", policy.single_backend->reason},
                                {"owner", policy.single_backend->owner}};
  }
  PutOptional(object, "max_share_factor", policy.max_share_factor);
  PutOptional(object, "max_share", policy.max_share);
  PutOptional(object, "max_removed_fraction", policy.max_removed_fraction);
  PutOptional(object, "max_remapped_fraction", policy.max_remapped_fraction);
  PutOptional(object, "max_weight_ratio", policy.max_weight_ratio);
  PutOptional(object, "peak_load", policy.peak_load);
  for (const model::RuleException& e : policy.exceptions) {
    object["exceptions"].push_back({{"rule", e.rule}, {"reason", e.reason}, {"owner", e.owner}});
  }
  for (const model::Freeze& f : policy.freeze) {
    object["freeze"].push_back({{"from", model::TimestampText(f.from_unix_s)},
                                {"to", model::TimestampText(f.to_unix_s)},
                                {"reason", f.reason}});
  }
  return object;
}

ordered_json ToJson(const model::Pool& pool) {
  ordered_json object = {{"name", pool.name},
                         {"forwarding", std::string(model::ToString(pool.forwarding))},
                         {"table_size", pool.table_size},
                         {"backends", ordered_json::array()}};
  PutTreatment(object, pool);
  for (const model::Backend& backend : pool.backends) object["backends"].push_back(ToJson(backend));
  if (pool.health_check) object["health_check"] = ToJson(*pool.health_check);
  if (pool.capacity_unit != model::CapacityUnit::kNone) {
    object["capacity_unit"] = std::string(model::ToString(pool.capacity_unit));
  }
  if (pool.slow_start != model::SlowStart{}) object["slow_start"] = ToJson(pool.slow_start);
  if (ordered_json policy = ToJson(pool.policy); !policy.empty()) object["policy"] = policy;
  return object;
}

ordered_json ToJson(const model::Config& config) {
  ordered_json object = {{"vips", ordered_json::array()}, {"pools", ordered_json::array()}};
  for (const model::Vip& vip : config.vips) object["vips"].push_back(ToJson(vip));
  for (const model::Pool& pool : config.pools) object["pools"].push_back(ToJson(pool));
  for (const model::SourceRules& rules : config.source_rules) {
    object["source_rules"].push_back(ToJson(rules));
  }
  PutText(object, "global_source_rules", config.global_source_rules);
  if (ordered_json policy = ToJson(config.policy); !policy.empty()) object["policy"] = policy;
  return object;
}

}  // namespace evenkeel::json
