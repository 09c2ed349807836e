// SPDX-License-Identifier: Apache-2.0
//
// Canonical text: one line per VIP and backend, so that a difference of two states reads well.
#include <charconv>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/escaped_bytes.h"
#include "control/model/text.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

// Words that YAML readers take for something other than text.
bool IsReserved(const std::string& text) {
  for (const char* word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (text == word) return true;
  }
  return false;
}

bool IsPlain(const std::string& text) {
  if (text.empty() || !absl::ascii_islower(static_cast<unsigned char>(text[0]))) return false;
  for (unsigned char c : text) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '.' && c != '_' && c != '-') {
      return false;
    }
  }
  return !IsReserved(text);
}

std::string Text(const std::string& text) {
  if (IsPlain(text)) return text;
  std::string quoted = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = [&](size_t n) {
      return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0;
    };
    if (c == '"' || c == '\\') {
      quoted.append({'\\', text[i]});
    } else if (c < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&quoted, "\\x%02x", c);
    } else if (c == 0xc2 && next(1) >= 0x80 && next(1) < 0xa0) {
      // C1 controls, among them U+0085, which is a line break in YAML.
      absl::StrAppendFormat(&quoted, "\\x%02x", next(1));
      ++i;
    } else if (c == 0xe2 && next(1) == 0x80 && (next(2) == 0xa8 || next(2) == 0xa9)) {
      absl::StrAppend(&quoted, next(2) == 0xa8 ? "\\u2028" : "\\u2029");
      i += 2;
    } else if (c == 0xef && next(1) == 0xbb && next(2) == 0xbf) {
      absl::StrAppend(&quoted, "\\ufeff");  // a byte order mark
      i += 2;
    } else {
      quoted.push_back(text[i]);
    }
  }
  return quoted + "\"";
}

// The shortest text that reads back as the same value.
std::string Number(double value) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  return error == std::errc() ? std::string(text, end) : "0";
}

std::string Address(const IpAddress& address) {
  return address.is_ipv4() ? address.ToString() : absl::StrCat("\"", address.ToString(), "\"");
}

std::string Duration(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  return ms % 1000 == 0 ? absl::StrCat(ms / 1000, "s") : absl::StrCat(ms, "ms");
}

void AppendLimits(const VipLimits& limits, std::string& out) {
  if (limits == VipLimits{}) return;
  const char* separator = ", limits: {";
  for (const auto& [name, limit] :
       {std::pair("new_flows", &limits.new_flows), std::pair("per_source", &limits.per_source)}) {
    if (!*limit) continue;
    absl::StrAppend(&out, separator, name, ": {rate: ", (*limit)->rate,
                    ", burst: ", (*limit)->burst, "}");
    separator = ", ";
  }
  absl::StrAppend(&out, "}");
}

void AppendVip(const Vip& vip, std::string& out) {
  absl::StrAppend(&out, "  - {name: ", Text(vip.name), ", address: ", Address(vip.address),
                  ", port: ", vip.port, ", protocol: ", Av(ToString(vip.protocol)),
                  ", pool: ", Text(vip.pool));
  if (!vip.source_rules.empty()) {
    absl::StrAppend(&out, ", source_rules: ", Text(vip.source_rules));
  }
  AppendLimits(vip.limits, out);
  if (vip.spread_by != SpreadBy::kConnection) {
    absl::StrAppend(&out, ", spread_by: ", Av(ToString(vip.spread_by)));
  }
  if (!vip.tracking) absl::StrAppend(&out, ", tracking: false");
  absl::StrAppend(&out, "}\n");
}

void AppendBackend(const Backend& backend, std::string& out) {
  absl::StrAppend(&out, "      - {name: ", Text(backend.name),
                  ", address: ", Address(backend.address), ", weight: ", backend.weight);
  if (backend.capacity) absl::StrAppend(&out, ", capacity: ", Number(*backend.capacity));
  if (!backend.zone.empty()) absl::StrAppend(&out, ", zone: ", Text(backend.zone));
  if (!backend.rack.empty()) absl::StrAppend(&out, ", rack: ", Text(backend.rack));
  if (!backend.labels.empty()) {
    absl::StrAppend(&out, ", labels: {");
    const char* separator = "";
    for (const auto& [key, value] : backend.labels) {
      absl::StrAppend(&out, separator, Text(key), ": ", Text(value));
      separator = ", ";
    }
    absl::StrAppend(&out, "}");
  }
  if (backend.state != AdminState::kEnabled) {
    absl::StrAppend(&out, ", state: ", Av(ToString(backend.state)));
  }
  if (!backend.server_id.empty()) {
    absl::StrAppend(&out, ", server_id: \"", backend.server_id, "\"");
  }
  absl::StrAppend(&out, "}\n");
}

// Only what is not the default.
void AppendTreatment(const Pool& pool, std::string& out) {
  const Pool plain;
  if (pool.affinity != plain.affinity) {
    absl::StrAppend(&out, "    affinity: ", Av(ToString(pool.affinity)), "\n");
  }
  if (pool.affinity_prefix4 != plain.affinity_prefix4) {
    absl::StrAppend(&out, "    affinity_prefix4: ", pool.affinity_prefix4, "\n");
  }
  if (pool.affinity_prefix6 != plain.affinity_prefix6) {
    absl::StrAppend(&out, "    affinity_prefix6: ", pool.affinity_prefix6, "\n");
  }
  if (pool.dscp != plain.dscp) absl::StrAppend(&out, "    dscp: ", ToString(pool.dscp), "\n");
  if (pool.out_of_order_fragments != plain.out_of_order_fragments) {
    absl::StrAppend(&out, "    out_of_order_fragments: ", Av(ToString(pool.out_of_order_fragments)),
                    "\n");
  }
  if (pool.quic) {
    absl::StrAppend(&out, "    quic: {config_id: ", pool.quic->config_id,
                    ", server_id_length: ", pool.quic->server_id_length, "}\n");
  }
}

void AppendTls(const ProbeTls& tls, std::string& out) {
  absl::StrAppend(&out, ", tls: {verify: ", tls.verify ? "true" : "false");
  if (!tls.ca.empty()) absl::StrAppend(&out, ", ca: ", Text(tls.ca));
  if (!tls.server_name.empty()) absl::StrAppend(&out, ", server_name: ", Text(tls.server_name));
  absl::StrAppend(&out, "}");
}

void AppendBytes(const char* key, const std::string& bytes, std::string& out) {
  if (!bytes.empty()) absl::StrAppend(&out, ", ", key, ": '", ToEscaped(bytes), "'");
}

// What is asked and what has to come back, beyond the path.
void AppendProbe(const HealthCheck& check, std::string& out) {
  if (!check.host.empty()) absl::StrAppend(&out, ", host: ", Text(check.host));
  if (check.method != HealthCheck::Method::kGet) {
    absl::StrAppend(&out, ", method: ", Av(ToString(check.method)));
  }
  if (!check.status.empty()) {
    const char* separator = ", status: [";
    for (const StatusRange& range : check.status) {
      absl::StrAppend(&out, std::exchange(separator, ", "), ToString(range));
    }
    absl::StrAppend(&out, "]");
  }
  if (!check.body.empty()) absl::StrAppend(&out, ", body: ", Text(check.body));
  if (check.tls) AppendTls(*check.tls, out);
  if (!check.service.empty()) absl::StrAppend(&out, ", service: ", Text(check.service));
  AppendBytes("send", check.send, out);
  AppendBytes("expect", check.expect, out);
  AppendBytes("expect_start", check.expect_start, out);
}

void AppendHealthCheck(const HealthCheck& check, std::string& out) {
  absl::StrAppend(&out, "    health_check: {type: ", Av(ToString(check.type)),
                  ", port: ", check.port, ", path: ", Text(check.path),
                  ", interval: ", Duration(check.interval), ", timeout: ", Duration(check.timeout),
                  ", rise: ", check.rise, ", fall: ", check.fall);
  const HealthCheck plain;
  if (check.start != plain.start) absl::StrAppend(&out, ", start: ", Av(ToString(check.start)));
  if (check.panic != plain.panic) absl::StrAppend(&out, ", panic: ", Av(ToString(check.panic)));
  AppendProbe(check, out);
  if (check.through != plain.through) {
    absl::StrAppend(&out, ", through: ", Av(ToString(check.through)));
  }
  if (check.passive) {
    absl::StrAppend(&out, ", passive: {min_share: ", Number(check.passive->min_share),
                    ", min_count: ", check.passive->min_count, "}");
  }
  absl::StrAppend(&out, "}\n");
}

void AppendSlowStart(const SlowStart& start, std::string& out) {
  const SlowStart plain;
  if (start == plain) return;
  absl::StrAppend(&out, "    slow_start: {over: ", Duration(start.over));
  if (start.max_step_fraction != plain.max_step_fraction) {
    absl::StrAppend(&out, ", max_step_fraction: ", Number(start.max_step_fraction));
  }
  if (start.new_backends) absl::StrAppend(&out, ", new_backends: true");
  absl::StrAppend(&out, "}\n");
}

void AppendFreezes(const std::vector<Freeze>& freezes, const std::string& indent,
                   std::string& out) {
  if (!freezes.empty()) absl::StrAppend(&out, indent, "  freeze:\n");
  for (const Freeze& freeze : freezes) {
    absl::StrAppend(&out, indent, "    - {from: \"", TimestampText(freeze.from_unix_s),
                    "\", to: \"", TimestampText(freeze.to_unix_s),
                    "\", reason: ", Text(freeze.reason), "}\n");
  }
}

void AppendExceptions(const std::vector<RuleException>& exceptions, const std::string& indent,
                      std::string& out) {
  if (!exceptions.empty()) absl::StrAppend(&out, indent, "  exceptions:\n");
  for (const RuleException& exception : exceptions) {
    absl::StrAppend(&out, indent, "    - {rule: ", Text(exception.rule),
                    ", reason: ", Text(exception.reason), ", owner: ", Text(exception.owner),
                    "}\n");
  }
}

void AppendPolicy(const Policy& policy, const std::string& indent, std::string& out) {
  if (policy == Policy{}) return;
  absl::StrAppend(&out, indent, "policy:\n");
  const auto field = [&](const char* name, const auto& value, auto format) {
    if (value) absl::StrAppend(&out, indent, "  ", name, ": ", format(*value), "\n");
  };
  field("min_serving_backends", policy.min_serving_backends,
        [](uint32_t v) { return absl::StrCat(v); });
  field("single_backend", policy.single_backend, [](const SingleBackend& s) {
    return absl::StrCat("{reason: ", Text(s.reason), ", owner: ", Text(s.owner), "}");
  });
  field("max_share_factor", policy.max_share_factor, Number);
  field("max_share", policy.max_share, Number);
  field("max_removed_fraction", policy.max_removed_fraction, Number);
  field("max_remapped_fraction", policy.max_remapped_fraction, Number);
  field("max_weight_ratio", policy.max_weight_ratio, Number);
  field("peak_load", policy.peak_load, Number);
  AppendExceptions(policy.exceptions, indent, out);
  AppendFreezes(policy.freeze, indent, out);
}

void AppendPool(const Pool& pool, std::string& out) {
  absl::StrAppend(&out, "  - name: ", Text(pool.name),
                  "\n    forwarding: ", Av(ToString(pool.forwarding)),
                  "\n    table_size: ", pool.table_size, "\n");
  AppendTreatment(pool, out);
  absl::StrAppend(&out, "    backends:", pool.backends.empty() ? " []\n" : "\n");
  for (const Backend& backend : pool.backends) AppendBackend(backend, out);
  if (pool.health_check) AppendHealthCheck(*pool.health_check, out);
  AppendSlowStart(pool.slow_start, out);
  if (pool.capacity_unit != CapacityUnit::kNone) {
    absl::StrAppend(&out, "    capacity_unit: ", Av(ToString(pool.capacity_unit)), "\n");
  }
  AppendPolicy(pool.policy, "    ", out);
}

void AppendPrefixes(const char* key, const std::vector<Prefix>& prefixes, std::string& out) {
  if (prefixes.empty()) return;
  absl::StrAppend(&out, "    ", key, ":\n");
  for (const Prefix& prefix : prefixes) {
    const char* quote = prefix.address.is_ipv4() ? "" : "\"";
    absl::StrAppend(&out, "      - ", quote, prefix.address.ToString(), "/", prefix.length, quote,
                    "\n");
  }
}

}  // namespace

std::string ToYaml(const SourceRules& rules) {
  std::string out;
  absl::StrAppend(&out, "  - name: ", Text(rules.name),
                  "\n    default: ", Av(ToString(rules.fallback)), "\n");
  if (rules.lockdown) {
    absl::StrAppend(&out, "    lockdown: {reason: ", Text(rules.lockdown->reason),
                    ", owner: ", Text(rules.lockdown->owner), "}\n");
  }
  AppendPrefixes("deny", rules.deny, out);
  AppendPrefixes("allow", rules.allow, out);
  return out;
}

std::string ToYaml(const Pool& pool) {
  std::string out;
  AppendPool(pool, out);
  return out;
}

std::string ToYaml(std::span<const Vip> vips, std::span<const std::string_view> pools,
                   std::span<const std::string_view> source_rules,
                   const std::string& global_source_rules, const Policy& policy) {
  std::string out;
  AppendPolicy(policy, "", out);
  out += vips.empty() ? "vips: []\n" : "vips:\n";
  for (const Vip& vip : vips) AppendVip(vip, out);
  absl::StrAppend(&out, pools.empty() ? "pools: []\n" : "pools:\n");
  for (const std::string_view pool : pools) out += pool;
  // Most states have none; their text is as it was before there were any.
  if (!source_rules.empty()) out += "source_rules:\n";
  for (const std::string_view rules : source_rules) out += rules;
  if (!global_source_rules.empty()) {
    absl::StrAppend(&out, "global_source_rules: ", Text(global_source_rules), "\n");
  }
  return out;
}

std::string ToYaml(const Config& config) {
  std::vector<std::string> pools, rules;
  for (const Pool& pool : config.pools) pools.push_back(ToYaml(pool));
  for (const SourceRules& set : config.source_rules) rules.push_back(ToYaml(set));
  return ToYaml(config.vips, std::vector<std::string_view>(pools.begin(), pools.end()),
                std::vector<std::string_view>(rules.begin(), rules.end()),
                config.global_source_rules, config.policy);
}

}  // namespace evenkeel::model
