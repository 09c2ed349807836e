// SPDX-License-Identifier: Apache-2.0
//
// Tree to model. One function per message of the schema; each reads what it can and reports
// everything else, so that one run shows all that is wrong.
#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/model/nearest.h"
#include "control/model/prefix_list.h"
#include "control/model/text.h"
#include "control/model/yaml.h"
#include "control/model/yaml_fields.h"
#include "control/model/yaml_findings.h"
#include "control/model/yaml_health.h"
#include "control/model/yaml_scalar.h"
#include "control/model/yaml_tree.h"

namespace evenkeel::model {
namespace {

class Reader : public YamlFields {
 public:
  Reader(std::string_view file, const ListReader& read_list, ParseResult& out)
      : YamlFields(file, read_list, out) {}

  void ReadConfig(const YamlNode& root) {
    Remember(root, "");
    Config& config = out_.config;
    const Keys keys = {"vips", "pools", "source_rules", "global_source_rules", "policy"};
    ReadMap(root, "", keys, {"vips", "pools"},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "vips") ReadList(v, p, config.vips, &Reader::ReadVip);
              if (key == "pools") ReadList(v, p, config.pools, &Reader::ReadPool);
              if (key == "source_rules") {
                ReadList(v, p, config.source_rules, &Reader::ReadSourceRules);
              }
              if (key == "global_source_rules") Set(v, p, ReadText(v), config.global_source_rules);
              if (key == "policy") ReadPolicy(v, p, config.policy);
            });
  }

 private:
  void ReadVip(const YamlNode& node, const std::string& path, Vip& vip) {
    const Keys required = {"name", "address", "port", "protocol", "pool"};
    Keys keys = required;
    keys.insert(keys.end(), {"source_rules", "limits", "spread_by", "tracking"});
    ReadMap(node, path, keys, required,
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "name") Set(v, p, ReadText(v), vip.name);
              if (key == "address") SetAddress(v, p, vip.address);
              if (key == "port") Set(v, p, ReadInteger(v, 0, 65535), vip.port);
              if (key == "protocol")
                SetEnum(v, p, &ParseProtocol, {"tcp", "udp", "quic"}, vip.protocol);
              if (key == "pool") Set(v, p, ReadText(v), vip.pool);
              if (key == "source_rules") Set(v, p, ReadText(v), vip.source_rules);
              if (key == "limits") ReadLimits(v, p, vip.limits);
              if (key == "spread_by") {
                SetEnum(v, p, &ParseSpreadBy, {"connection", "destination_port"}, vip.spread_by);
              }
              if (key == "tracking") Set(v, p, ReadBoolean(v), vip.tracking);
            });
  }

  void ReadLimits(const YamlNode& node, const std::string& path, VipLimits& limits) {
    const Keys keys = {"new_flows", "per_source"};
    ReadMap(node, path, keys, {},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              ReadRate(v, p, (key == "new_flows" ? limits.new_flows : limits.per_source).emplace());
            });
  }

  // Without a burst, that of a second.
  void ReadRate(const YamlNode& node, const std::string& path, RateLimit& limit) {
    const Keys keys = {"rate", "burst"};
    bool has_burst = false;
    ReadMap(node, path, keys, {"rate"},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              has_burst = has_burst || key == "burst";
              Set(v, p, ReadInteger(v, 1, kMaxRate), key == "rate" ? limit.rate : limit.burst);
            });
    if (!has_burst) limit.burst = limit.rate;
  }

  void ReadPool(const YamlNode& node, const std::string& path, Pool& pool) {
    const Keys keys = {"name",         "forwarding",       "table_size", "backends",
                       "health_check", "policy",           "affinity",   "affinity_prefix4",
                       "dscp",         "affinity_prefix6", "quic",       "out_of_order_fragments",
                       "slow_start",   "capacity_unit"};
    ReadMap(
        node, path, keys, {"name", "backends"},
        [&](std::string_view key, const YamlNode& v, const std::string& p) {
          if (key == "name") Set(v, p, ReadText(v), pool.name);
          if (key == "forwarding") {
            SetEnum(v, p, &ParseForwarding, {"ipip", "l2", "gue"}, pool.forwarding);
          }
          if (key == "table_size") {
            Set(v, p, ReadInteger(v, 0, std::numeric_limits<uint32_t>::max()), pool.table_size);
          }
          if (key == "backends") ReadList(v, p, pool.backends, &Reader::ReadBackend);
          if (key == "health_check") ReadHealthCheck(*this, v, p, pool.health_check.emplace());
          if (key == "policy") ReadPolicy(v, p, pool.policy);
          if (key == "capacity_unit") {
            SetEnum(v, p, &ParseCapacityUnit, {"packets", "bits", "new_flows"}, pool.capacity_unit);
          }
          if (key == "slow_start") ReadSlowStart(v, p, pool.slow_start);
          ReadTreatment(key, v, p, pool);
        });
  }

  // What becomes of the pool's packets beyond which backend they go to.
  void ReadTreatment(std::string_view key, const YamlNode& v, const std::string& p, Pool& pool) {
    if (key == "affinity") {
      SetEnum(v, p, &ParseAffinity, {"connection", "flow", "source"}, pool.affinity);
    }
    if (key == "affinity_prefix4") Set(v, p, ReadInteger(v, 1, 32), pool.affinity_prefix4);
    if (key == "affinity_prefix6") Set(v, p, ReadInteger(v, 1, 128), pool.affinity_prefix6);
    if (key == "dscp") ReadDscp(v, p, pool.dscp);
    if (key == "out_of_order_fragments") {
      SetEnum(v, p, &ParseOutOfOrder, {"drop", "forward"}, pool.out_of_order_fragments);
    }
    if (key == "quic") ReadQuic(v, p, pool.quic.emplace());
  }

  void ReadDscp(const YamlNode& node, const std::string& path, Dscp& dscp) {
    dscp.copy = node.kind == YamlNode::Kind::kScalar && node.scalar == "copy";
    if (dscp.copy) return;
    if (!ReadInteger(node, 0, kMaxDscp).ok()) {
      return Error(node, path, absl::StrCat("write copy, or a number from 0 to ", kMaxDscp));
    }
    Set(node, path, ReadInteger(node, 0, kMaxDscp), dscp.value);
  }

  void ReadQuic(const YamlNode& node, const std::string& path, QuicIds& quic) {
    const Keys keys = {"config_id", "server_id_length"};
    ReadMap(node, path, keys, keys,
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "config_id")
                Set(v, p, ReadInteger(v, 0, kMaxQuicConfigId), quic.config_id);
              if (key == "server_id_length") {
                Set(v, p, ReadInteger(v, 1, kMaxServerIdLength), quic.server_id_length);
              }
            });
  }

  void ReadBackend(const YamlNode& node, const std::string& path, Backend& backend) {
    const Keys keys = {"name", "address", "weight", "capacity", "zone",
                       "rack", "labels",  "state",  "server_id"};
    ReadMap(node, path, keys, {"name", "address"},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              using Limits = std::numeric_limits<int64_t>;
              if (key == "name") Set(v, p, ReadText(v), backend.name);
              if (key == "address") SetAddress(v, p, backend.address);
              if (key == "weight") {
                Set(v, p, ReadInteger(v, Limits::min(), Limits::max()), backend.weight);
              }
              if (key == "capacity") Set(v, p, ReadNumber(v), backend.capacity);
              if (key == "zone") Set(v, p, ReadText(v), backend.zone);
              if (key == "rack") Set(v, p, ReadText(v), backend.rack);
              if (key == "labels") ReadLabels(v, p, backend.labels);
              if (key == "server_id") Set(v, p, ReadText(v), backend.server_id);
              if (key == "state") {
                SetEnum(v, p, &ParseAdminState, {"enabled", "draining", "disabled"}, backend.state);
              }
            });
  }

  void ReadLabels(const YamlNode& node, const std::string& path,
                  std::map<std::string, std::string>& labels) {
    ReadMap(node, path, std::nullopt, {},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              Set(v, p, ReadText(v), labels[std::string(key)]);
            });
  }

  void ReadSlowStart(const YamlNode& node, const std::string& path, SlowStart& start) {
    const Keys keys = {"over", "max_step_fraction", "new_backends"};
    ReadMap(node, path, keys, {},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "over") Set(v, p, ReadDuration(v), start.over);
              if (key == "max_step_fraction") Set(v, p, ReadNumber(v), start.max_step_fraction);
              if (key == "new_backends") Set(v, p, ReadBoolean(v), start.new_backends);
            });
  }

  void ReadPolicy(const YamlNode& node, const std::string& path, Policy& policy) {
    const Keys keys = {"min_serving_backends", "single_backend",
                       "max_share_factor",     "max_share",
                       "max_removed_fraction", "max_remapped_fraction",
                       "max_weight_ratio",     "peak_load",
                       "exceptions",           "freeze"};
    ReadMap(node, path, keys, {},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "min_serving_backends") {
                Set(v, p, ReadInteger(v, 0, std::numeric_limits<uint32_t>::max()),
                    policy.min_serving_backends);
              }
              if (key == "single_backend") ReadSingle(v, p, policy.single_backend.emplace());
              if (key == "max_share_factor") Set(v, p, ReadNumber(v), policy.max_share_factor);
              if (key == "max_share") Set(v, p, ReadNumber(v), policy.max_share);
              if (key == "max_removed_fraction") {
                Set(v, p, ReadNumber(v), policy.max_removed_fraction);
              }
              if (key == "max_remapped_fraction") {
                Set(v, p, ReadNumber(v), policy.max_remapped_fraction);
              }
              if (key == "max_weight_ratio") Set(v, p, ReadNumber(v), policy.max_weight_ratio);
              if (key == "peak_load") Set(v, p, ReadNumber(v), policy.peak_load);
              if (key == "exceptions") ReadList(v, p, policy.exceptions, &Reader::ReadException);
              if (key == "freeze") ReadList(v, p, policy.freeze, &Reader::ReadFreeze);
            });
  }

  void ReadException(const YamlNode& node, const std::string& path, RuleException& exception) {
    const Keys keys = {"rule", "reason", "owner"};
    ReadMap(node, path, keys, keys,
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "rule") Set(v, p, ReadText(v), exception.rule);
              if (key == "reason") Set(v, p, ReadText(v), exception.reason);
              if (key == "owner") Set(v, p, ReadText(v), exception.owner);
            });
  }

  void ReadFreeze(const YamlNode& node, const std::string& path, Freeze& freeze) {
    const Keys keys = {"from", "to", "reason"};
    ReadMap(node, path, keys, keys,
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "from") Set(v, p, ReadTimestamp(v), freeze.from_unix_s);
              if (key == "to") Set(v, p, ReadTimestamp(v), freeze.to_unix_s);
              if (key == "reason") Set(v, p, ReadText(v), freeze.reason);
            });
  }

  void ReadSourceRules(const YamlNode& node, const std::string& path, SourceRules& rules) {
    const Keys keys = {"name", "default", "deny", "deny_file", "allow", "allow_file", "lockdown"};
    ReadMap(node, path, keys, {"name"},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "name") Set(v, p, ReadText(v), rules.name);
              if (key == "default") {
                SetEnum(v, p, &ParseSourceAction, {"allow", "deny"}, rules.fallback);
              }
              if (key == "deny") ReadPrefixes(v, p, p, rules.deny);
              if (key == "allow") ReadPrefixes(v, p, p, rules.allow);
              if (key == "deny_file") ReadPrefixFile(v, p, path + ".deny", rules.deny);
              if (key == "allow_file") ReadPrefixFile(v, p, path + ".allow", rules.allow);
              if (key == "lockdown") ReadLockdown(v, p, rules.lockdown.emplace());
            });
  }

  // `list`: the path under which the prefixes are known, those of a file too.
  void ReadPrefixes(const YamlNode& node, const std::string& path, const std::string& list,
                    std::vector<Prefix>& out) {
    if (node.kind != YamlNode::Kind::kSequence) {
      return Error(node, path,
                   absl::StrCat("is ", Av(DescribeKind(node)), "; write a list of prefixes"));
    }
    const size_t first = out.size();
    std::vector<uint32_t> lines;
    size_t unread = 0;
    for (size_t i = 0; i < node.children.size(); ++i) {
      const YamlNode& child = node.children[i];
      const bool scalar = child.kind == YamlNode::Kind::kScalar;
      absl::StatusOr<Prefix> prefix =
          scalar ? Prefix::Parse(child.scalar)
                 : absl::InvalidArgumentError("is not a prefix; write one such as 10.0.0.0/8");
      if (prefix.ok()) {
        out.push_back(*prefix);
        lines.push_back(child.line);
      } else if (++unread <= PrefixList::kMaxProblems) {
        Error(child, absl::StrCat(path, "[", i, "]"), std::string(prefix.status().message()));
      }
    }
    NoteMoreUnread(node, path, unread);
    out_.sources.AddLines(list, first, std::string(file_), std::move(lines));
  }

  void ReadPrefixFile(const YamlNode& node, const std::string& path, const std::string& list,
                      std::vector<Prefix>& out) {
    const absl::StatusOr<std::string> name = ReadText(node);
    if (!name.ok()) return Error(node, path, "is not a file name; write one");
    if (!read_list_) {
      return Error(node, path, "names a file, which is not read here; write the prefixes out");
    }
    const absl::StatusOr<std::string> text = read_list_(*name);
    if (!text.ok()) return Error(node, path, std::string(text.status().message()));
    PrefixList read = ParsePrefixList(*text);
    for (PrefixList::Problem& problem : read.problems) {
      out_.diagnostics.push_back({{*name, problem.line, 0}, path, std::move(problem.message)});
    }
    NoteMoreUnread(node, path, read.unread);
    if (read.prefixes.empty() && read.unread == 0) {
      Error(node, path,
            absl::StrCat(Quoted(*name),
                         " has no prefix; absent does not mean delete: remove the "
                         "key if none is meant"));
    }
    out_.sources.AddLines(list, out.size(), *name, std::move(read.lines));
    out.insert(out.end(), read.prefixes.begin(), read.prefixes.end());
  }

  void NoteMoreUnread(const YamlNode& node, const std::string& path, size_t unread) {
    if (unread <= PrefixList::kMaxProblems) return;
    Error(node, path,
          absl::StrCat("has ", unread - PrefixList::kMaxProblems, " more that are no prefixes"));
  }

  void ReadLockdown(const YamlNode& node, const std::string& path, Lockdown& lockdown) {
    const Keys keys = {"reason", "owner"};
    ReadMap(node, path, keys, keys,
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              Set(v, p, ReadText(v), key == "reason" ? lockdown.reason : lockdown.owner);
            });
  }

  void ReadSingle(const YamlNode& node, const std::string& path, SingleBackend& single) {
    const Keys keys = {"reason", "owner"};
    ReadMap(node, path, keys, keys,
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              Set(v, p, ReadText(v), key == "reason" ? single.reason : single.owner);
            });
  }
};

}  // namespace

ParseResult ParseYaml(std::string_view text, std::string_view file, const ListReader& read_list) {
  ParseResult result;
  const std::optional<YamlNode> root = ParseYamlTree(text, result.diagnostics);
  for (Diagnostic& d : result.diagnostics) d.location.file = file;
  if (!result.ok()) return result;
  if (!root || root->kind == YamlNode::Kind::kNull) {
    result.diagnostics.push_back({{std::string(file), 0, 0},
                                  "",
                                  "is empty; a configuration has vips and pools, and absent does "
                                  "not mean delete"});
    return result;
  }
  Reader(file, read_list, result).ReadConfig(*root);
  AddValidation(result);
  std::stable_sort(result.diagnostics.begin(), result.diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) {
                     return std::pair(a.location.line, a.location.column) <
                            std::pair(b.location.line, b.location.column);
                   });
  return result;
}

}  // namespace evenkeel::model
