// SPDX-License-Identifier: Apache-2.0
//
// Structural validity: what must hold before a configuration can be built and judged at all.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/nearest.h"
#include "control/model/primes.h"
#include "control/model/text.h"
#include "control/model/validate_health.h"
#include "control/model/validate_policy.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxNameLength = 63;
constexpr size_t kMaxLabels = 64;
constexpr milliseconds kMaxSlowStart{3'600'000};
constexpr size_t kMaxListed = 20;  // of the prefixes of a list

// A field's place. Its path becomes text only where something is wrong with it: large
// configurations are validated at every update.
struct Field {
  const char* list;  // "vips", "pools" or "source_rules"
  size_t index;
  std::optional<size_t> backend;
  const char* name;

  Field Of(const char* field) const { return {list, index, backend, field}; }
  std::string Element() const {
    std::string text = absl::StrCat(list, "[", index, "]");
    if (backend) absl::StrAppend(&text, ".backends[", *backend, "]");
    return text;
  }
  std::string ToString() const { return absl::StrCat(Element(), ".", name); }
};

using SeenNames = std::unordered_map<std::string_view, Field>;

class Validator {
 public:
  std::vector<Diagnostic> Run(const Config& config) {
    for (const Pool& pool : config.pools) pool_names_.insert(pool.name);
    for (const SourceRules& rules : config.source_rules) rules_names_.insert(rules.name);
    CheckVips(config.vips);
    if (const std::string& global = config.global_source_rules; !KnownRules(global)) {
      diagnostics_.push_back({{}, "global_source_rules", NoRules(global)});
    }
    SeenNames names;
    for (size_t i = 0; i < config.pools.size(); ++i) CheckPool(config.pools[i], i, names);
    CheckPolicy(config.policy, "policy", PolicyLevel::kDefault, diagnostics_);
    CheckSourceRules(config.source_rules);
    return std::move(diagnostics_);
  }

  std::vector<Diagnostic> RunOnPool(const Pool& pool, size_t index) {
    SeenNames names;
    CheckPool(pool, index, names);
    return std::move(diagnostics_);
  }

 private:
  void Add(const Field& field, std::string message) {
    diagnostics_.push_back({{}, field.ToString(), std::move(message)});
  }

  // `seen` maps each name to the element that used it first.
  void CheckName(const std::string& name, const Field& field, SeenNames& seen) {
    constexpr std::string_view kForm =
        "write a name of lower-case letters, digits, '.', '_' and '-' that starts with a letter "
        "or digit, at most 63 characters";
    if (name.empty()) return Add(field, absl::StrCat("is missing; ", Av(kForm)));
    const bool valid_start = absl::ascii_islower(name[0]) || absl::ascii_isdigit(name[0]);
    const bool valid = std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' || c == '-';
    });
    if (!valid_start || !valid || name.size() > kMaxNameLength) {
      return Add(field, absl::StrCat(Quoted(name), " is not a valid name; ", Av(kForm)));
    }
    const auto [it, inserted] = seen.emplace(name, field);
    if (!inserted) {
      Add(field, absl::StrCat("\"", name, "\" is already the name of ", it->second.Element(),
                              "; names are unique"));
    }
  }

  void CheckText(const std::string& text, const Field& field) {
    if (const auto problem = TextProblem(text)) Add(field, *problem);
  }

  void CheckVips(const std::vector<Vip>& vips) {
    SeenNames names;
    std::map<std::tuple<IpAddress, uint16_t, bool>, size_t> keys;
    for (size_t i = 0; i < vips.size(); ++i) {
      const Vip& vip = vips[i];
      const Field field{"vips", i, std::nullopt, "name"};
      CheckName(vip.name, field, names);
      const bool tcp = vip.protocol == Protocol::kTcp;
      const auto [it, inserted] = keys.emplace(std::tuple(vip.address, vip.port, tcp), i);
      if (!inserted) {
        Add(field.Of("address"),
            absl::StrFormat("%s port %d %s is already VIP \"%s\" (vips[%d]); one address, port and "
                            "IP protocol is one VIP (quic is udp)",
                            vip.address.ToString(), vip.port, ToString(vip.protocol),
                            vips[it->second].name, it->second));
      }
      CheckReference(vip, field.Of("pool"));
      if (!KnownRules(vip.source_rules)) {
        Add(field.Of("source_rules"), NoRules(vip.source_rules));
      }
      CheckLimits(vip, field);
    }
  }

  void CheckLimits(const Vip& vip, const Field& field) {
    if (vip.limits.new_flows && vip.protocol == Protocol::kUdp) {
      Add(field.Of("limits.new_flows"),
          "is for tcp and quic: no packet of a udp VIP is known to open a flow; limit per_source");
    }
    if (vip.limits.new_flows) CheckRate(*vip.limits.new_flows, field.Of("limits.new_flows"));
    if (vip.limits.per_source) CheckRate(*vip.limits.per_source, field.Of("limits.per_source"));
  }

  // The clock that limits are kept by ticks up to 10 ms apart: a smaller burst would be the limit.
  void CheckRate(const RateLimit& limit, const Field& field) {
    const uint32_t least = std::max(1u, limit.rate / 100);
    if (limit.rate < 1 || limit.rate > kMaxRate) {
      Add(field, absl::StrCat("has the rate ", limit.rate, "; write 1 to ", kMaxRate, " a second"));
    } else if (limit.burst < least || limit.burst > kMaxRate) {
      Add(field, absl::StrCat("has the burst ", limit.burst, "; write ", least, " to ", kMaxRate,
                              ": at least a hundredth of the rate"));
    }
  }

  void CheckReference(const Vip& vip, const Field& field) {
    if (vip.pool.empty()) return Add(field, "is missing; write the name of a pool");
    if (pool_names_.contains(vip.pool)) return;
    const std::vector<std::string_view> names(pool_names_.begin(), pool_names_.end());
    Add(field, absl::StrCat("there is no pool ", Quoted(vip.pool), DidYouMean(vip.pool, names)));
  }

  bool KnownRules(const std::string& name) const {
    return name.empty() || rules_names_.contains(name);
  }
  std::string NoRules(const std::string& name) const {
    const std::vector<std::string_view> names(rules_names_.begin(), rules_names_.end());
    return absl::StrCat("there are no source_rules ", Quoted(name), DidYouMean(name, names));
  }

  void CheckSourceRules(const std::vector<SourceRules>& sets) {
    if (sets.size() > kMaxRuleSets) {
      diagnostics_.push_back(
          {{}, "source_rules", absl::StrCat("has ", sets.size(), " sets; at most ", kMaxRuleSets)});
    }
    SeenNames names;
    size_t prefixes = 0;
    for (size_t i = 0; i < sets.size(); ++i) {
      const Field field{"source_rules", i, std::nullopt, "name"};
      CheckName(sets[i].name, field, names);
      prefixes += sets[i].deny.size() + sets[i].allow.size();
      CheckCanonical(sets[i].deny, field.Of("deny"));
      CheckCanonical(sets[i].allow, field.Of("allow"));
      CheckDisjoint(sets[i], field);
      if (sets[i].lockdown) CheckLockdown(*sets[i].lockdown, field);
    }
    if (prefixes > kMaxSourcePrefixes) {
      diagnostics_.push_back({{},
                              "source_rules",
                              absl::StrCat("have ", prefixes, " prefixes; at most ",
                                           kMaxSourcePrefixes, " in all sets together")});
    }
  }

  static Field Element(const Field& list, size_t index, std::string& name) {
    name = absl::StrCat(list.name, "[", index, "]");
    return list.Of(name.c_str());
  }

  void CheckCanonical(const std::vector<Prefix>& list, const Field& field) {
    std::string name;
    size_t bad = 0;
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i].IsCanonical() || ++bad > kMaxListed) continue;
      Add(Element(field, i, name),
          absl::StrCat(list[i].ToString(), " has bits set beyond its length; write ",
                       Prefix::Of(list[i].address, list[i].length).ToString()));
    }
  }

  // A prefix that is both allowed and denied has no meaning.
  void CheckDisjoint(const SourceRules& rules, const Field& field) {
    if (rules.deny.empty() || rules.allow.empty()) return;
    std::vector<Prefix> denied = rules.deny;
    std::sort(denied.begin(), denied.end());
    std::string name;
    size_t both = 0;
    for (size_t i = 0; i < rules.allow.size(); ++i) {
      if (!std::binary_search(denied.begin(), denied.end(), rules.allow[i])) continue;
      if (++both > kMaxListed) continue;
      Add(Element(field.Of("allow"), i, name),
          absl::StrCat(rules.allow[i].ToString(), " is also under deny; remove it from one"));
    }
    if (both > kMaxListed) {
      Add(field.Of("allow"), absl::StrCat("has ", both, " prefixes that are also under deny"));
    }
  }

  void CheckLockdown(const Lockdown& lockdown, const Field& field) {
    const Field reason = field.Of("lockdown.reason"), owner = field.Of("lockdown.owner");
    if (lockdown.reason.empty()) Add(reason, "is missing; say why most sources are kept out");
    if (lockdown.owner.empty()) Add(owner, "is missing; say who answers for it");
    CheckText(lockdown.reason, reason);
    CheckText(lockdown.owner, owner);
  }

  void CheckPool(const Pool& pool, size_t index, SeenNames& names) {
    const Field field{"pools", index, std::nullopt, "name"};
    CheckName(pool.name, field, names);
    CheckTableSize(pool.table_size, field.Of("table_size"));
    CheckTreatment(pool, field);
    CheckServerIds(pool, index);
    SeenNames backend_names;
    for (size_t j = 0; j < pool.backends.size(); ++j) {
      const Field backend{"pools", index, j, "name"};
      CheckName(pool.backends[j].name, backend, backend_names);
      CheckBackend(pool.backends[j], backend);
    }
    if (pool.health_check) {
      CheckHealthCheck(*pool.health_check, absl::StrCat(field.Element(), ".health_check"),
                       diagnostics_);
    }
    CheckSlowStart(pool.slow_start, field);
    const bool measured = pool.capacity_unit != CapacityUnit::kNone;
    if (measured && std::none_of(pool.backends.begin(), pool.backends.end(),
                                 [](const Backend& backend) { return backend.capacity; })) {
      Add(field.Of("capacity_unit"), "no backend declares a capacity; write one for each");
    }
    if (pool.policy == Policy{}) return;
    CheckPolicy(pool.policy, absl::StrCat(field.Element(), ".policy"), PolicyLevel::kPool,
                diagnostics_);
  }

  void CheckTableSize(uint32_t size, const Field& field) {
    if (size >= kMinTableSize && size <= kMaxTableSize && IsPrime(size)) return;
    Add(field, absl::StrFormat("%d is not a prime from %d to %d; the nearest is %d", size,
                               kMinTableSize, kMaxTableSize, NearestTableSize(size)));
  }

  void CheckTreatment(const Pool& pool, const Field& field) {
    const bool source = pool.affinity == Affinity::kSource;
    CheckPrefix(pool.affinity_prefix4, 32, source, field.Of("affinity_prefix4"));
    CheckPrefix(pool.affinity_prefix6, 128, source, field.Of("affinity_prefix6"));
    if (pool.dscp.value > kMaxDscp) {
      Add(field.Of("dscp"),
          absl::StrCat("is ", pool.dscp.value, "; write copy, or 0 to ", kMaxDscp));
    } else if (pool.dscp != Dscp{} && pool.forwarding == Forwarding::kL2) {
      Add(field.Of("dscp"), "needs an outer header, and forwarding l2 makes none; leave it out");
    }
    if (pool.health_check && pool.health_check->passive && pool.forwarding == Forwarding::kL2) {
      Add(field.Of("health_check.passive"),
          "counts encapsulated packets that come back, and l2 does not encapsulate; remove it");
    }
    if (pool.out_of_order_fragments == OutOfOrder::kForward && !source) {
      Add(field.Of("out_of_order_fragments"),
          "forward needs affinity: source, for a later fragment has no ports; write drop");
    }
    if (!pool.quic) return;
    if (pool.quic->config_id > kMaxQuicConfigId) {
      Add(field.Of("quic.config_id"),
          absl::StrCat("is ", pool.quic->config_id, "; write 0 to ", kMaxQuicConfigId));
    }
    if (pool.quic->server_id_length < 1 || pool.quic->server_id_length > kMaxServerIdLength) {
      Add(field.Of("quic.server_id_length"),
          absl::StrCat("is ", pool.quic->server_id_length, "; write 1 to ", kMaxServerIdLength));
    }
  }

  void CheckPrefix(uint8_t length, uint8_t longest, bool source, const Field& field) {
    if (length < 1 || length > longest) {
      Add(field, absl::StrCat("is ", length, "; write 1 to ", longest));
    } else if (length != longest && !source) {
      Add(field, "only counts with affinity: source; add that, or leave it out");
    }
  }

  void CheckServerIds(const Pool& pool, size_t index) {
    std::map<uint64_t, size_t> seen;
    for (size_t j = 0; j < pool.backends.size(); ++j) {
      const std::string& text = pool.backends[j].server_id;
      if (text.empty()) continue;
      const Field field{"pools", index, j, "server_id"};
      if (!pool.quic) {
        Add(field,
            "needs the pool's quic: {config_id, server_id_length}; add that, or leave it out");
        continue;
      }
      const auto id = ParseServerId(text, pool.quic->server_id_length);
      if (!id) {
        Add(field, absl::StrFormat("%s is no server id of %d bytes; write %d hexadecimal digits",
                                   Quoted(text), pool.quic->server_id_length,
                                   2 * pool.quic->server_id_length));
        continue;
      }
      const auto [it, fresh] = seen.emplace(*id, j);
      if (fresh) continue;
      Add(field, absl::StrCat(Quoted(text), " is already the server id of backends[", it->second,
                              "]; each server has its own"));
    }
  }

  void CheckBackend(const Backend& backend, const Field& field) {
    if (backend.capacity && !(*backend.capacity > 0 && std::isfinite(*backend.capacity))) {
      Add(field.Of("capacity"),
          absl::StrFormat("%g is not a capacity; write a number above 0", *backend.capacity));
    }
    CheckText(backend.zone, field.Of("zone"));
    CheckText(backend.rack, field.Of("rack"));
    const Field labels = field.Of("labels");
    if (backend.labels.size() > kMaxLabels) {
      Add(labels, absl::StrCat("has ", backend.labels.size(), " labels; at most ", kMaxLabels));
    }
    for (const auto& [key, value] : backend.labels) {
      if (key.empty()) Add(labels, "has an empty key; name it");
      CheckText(key, labels);
      CheckText(value, labels);
    }
  }

  void CheckSlowStart(const SlowStart& start, const Field& field) {
    const bool at_once = start.over == milliseconds(0);
    if (!at_once && (start.over < milliseconds(1000) || start.over > kMaxSlowStart)) {
      Add(field.Of("slow_start.over"), "write 0s (at once), or a duration from 1s to 1h");
    }
    if (!(start.max_step_fraction >= 0.001 && start.max_step_fraction <= 0.3)) {
      Add(field.Of("slow_start.max_step_fraction"), "write a number from 0.001 to 0.3");
    }
  }

  std::set<std::string_view> pool_names_;
  std::set<std::string_view> rules_names_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace

std::vector<Diagnostic> Validate(const Config& config) { return Validator().Run(config); }

std::vector<Diagnostic> ValidatePool(const Pool& pool, size_t index) {
  return Validator().RunOnPool(pool, index);
}

}  // namespace evenkeel::model
