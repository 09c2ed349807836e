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
#include "control/model/yaml_findings.h"
#include "control/model/yaml_scalar.h"
#include "control/model/yaml_tree.h"

namespace evenkeel::model {
namespace {

using Keys = std::vector<std::string_view>;

class Reader {
 public:
  Reader(std::string_view file, const ListReader& read_list, ParseResult& out)
      : file_(file), read_list_(read_list), out_(out) {}

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
  template <typename T>
  using ReadElement = void (Reader::*)(const YamlNode&, const std::string&, T&);

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
          if (key == "health_check") ReadHealthCheck(v, p, pool.health_check.emplace());
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

  void ReadHealthCheck(const YamlNode& node, const std::string& path, HealthCheck& check) {
    const Keys keys = {"type", "port", "path",  "interval", "timeout",
                       "rise", "fall", "start", "panic"};
    constexpr int64_t kMaxCount = std::numeric_limits<uint32_t>::max();
    ReadMap(node, path, keys, {"type"},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "type") {
                SetEnum(v, p, &ParseHealthCheckType, {"tcp", "http", "https"}, check.type);
              }
              if (key == "port") Set(v, p, ReadInteger(v, 0, 65535), check.port);
              if (key == "path") Set(v, p, ReadText(v), check.path);
              if (key == "interval") Set(v, p, ReadDuration(v), check.interval);
              if (key == "timeout") Set(v, p, ReadDuration(v), check.timeout);
              if (key == "rise") Set(v, p, ReadInteger(v, 0, kMaxCount), check.rise);
              if (key == "fall") Set(v, p, ReadInteger(v, 0, kMaxCount), check.fall);
              if (key == "start") {
                SetEnum(v, p, &ParseHealthCheckStart, {"up", "down"}, check.start);
              }
              if (key == "panic") {
                SetEnum(v, p, &ParseHealthCheckPanic, {"keep_all", "hold_last", "withdraw"},
                        check.panic);
              }
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

  // --- The machinery ---

  void Error(const YamlNode& node, const std::string& path, std::string message) {
    out_.diagnostics.push_back(
        {{std::string(file_), node.line, node.column}, path, std::move(message)});
  }

  void Remember(const YamlNode& node, const std::string& path) {
    out_.sources.Add(path, {std::string(file_), node.line, node.column});
  }

  template <typename V, typename T>
  void Set(const YamlNode& node, const std::string& path, const absl::StatusOr<V>& value, T& out) {
    if (!value.ok()) return Error(node, path, std::string(value.status().message()));
    if constexpr (std::is_arithmetic_v<T>) {
      out = static_cast<T>(*value);  // the reader of the scalar checked the range
    } else {
      out = *value;
    }
  }

  void SetAddress(const YamlNode& node, const std::string& path, IpAddress& out) {
    const absl::StatusOr<std::string> text = ReadText(node);
    if (!text.ok()) return Error(node, path, "is not an address; write one such as 10.0.0.1");
    Set(node, path, IpAddress::Parse(*text), out);
  }

  template <typename E>
  void SetEnum(const YamlNode& node, const std::string& path,
               std::optional<E> (*parse)(std::string_view), const Keys& valid, E& out) {
    std::optional<E> value;
    if (node.kind == YamlNode::Kind::kScalar) value = parse(node.scalar);
    if (value) {
      out = *value;
      return;
    }
    const bool scalar = node.kind == YamlNode::Kind::kScalar;
    Error(node, path,
          absl::StrCat("is ", scalar ? Quoted(node.scalar) : std::string(DescribeKind(node)),
                       DidYouMean(scalar ? node.scalar : "", valid)));
  }

  template <typename T>
  void ReadList(const YamlNode& node, const std::string& path, std::vector<T>& out,
                ReadElement<T> read) {
    if (node.kind != YamlNode::Kind::kSequence) {
      return Error(node, path,
                   absl::StrCat("is ", Av(DescribeKind(node)),
                                "; write a list, [] if it is meant to be empty"));
    }
    out.reserve(node.children.size());
    for (size_t i = 0; i < node.children.size(); ++i) {
      const std::string element = absl::StrCat(path, "[", i, "]");
      Remember(node.children[i], element);
      (this->*read)(node.children[i], element, out.emplace_back());
    }
  }

  // Calls `visit` with each key that is valid (all, without `valid`) and occurs for the first time.
  template <typename Visit>
  void ReadMap(const YamlNode& node, const std::string& path, const std::optional<Keys>& valid,
               const Keys& required, Visit visit) {
    if (node.kind != YamlNode::Kind::kMap) {
      return Error(node, path,
                   absl::StrCat("is ", Av(DescribeKind(node)), "; write a map",
                                valid ? absl::StrCat(" with ", Listed(*valid)) : ""));
    }
    std::map<std::string_view, const YamlNode*> seen;
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const YamlNode& key = node.children[i];
      const YamlNode& value = node.children[i + 1];
      if (key.kind != YamlNode::Kind::kScalar) {
        Error(key, path, absl::StrCat("has a key that is ", Av(DescribeKind(key)), "; write text"));
        continue;
      }
      const std::string field = path.empty() ? key.scalar : absl::StrCat(path, ".", key.scalar);
      if (auto [it, fresh] = seen.emplace(key.scalar, &key); !fresh) {
        Error(key, Printable(field),
              absl::StrCat("is written twice, first in line ", it->second->line, "; remove one"));
        continue;
      }
      if (valid && std::find(valid->begin(), valid->end(), key.scalar) == valid->end()) {
        Error(key, Printable(field), "is not a key here" + DidYouMean(key.scalar, *valid));
        continue;
      }
      Remember(value, field);
      visit(std::string_view(key.scalar), value, field);
    }
    for (std::string_view key : required) {
      if (seen.contains(key)) continue;
      Error(node, path.empty() ? std::string(key) : absl::StrCat(path, ".", Av(key)),
            MissingText(key));
    }
  }

  // A key is input: it may be long and hold line breaks.
  static std::string Printable(const std::string& field) {
    const std::string quoted = Quoted(field, 160);
    return quoted.substr(1, quoted.size() - 2);
  }

  static std::string Listed(const Keys& keys) {
    std::string text;
    for (std::string_view key : keys) absl::StrAppend(&text, text.empty() ? "" : ", ", Av(key));
    return text;
  }

  static std::string MissingText(std::string_view key) {
    if (key == "vips" || key == "pools" || key == "backends") {
      return "is missing; absent does not mean delete: write [] if it is meant to be empty";
    }
    if (key == "port") return "is missing; write 0 for every port";
    return "is missing";
  }

  std::string_view file_;
  const ListReader& read_list_;
  ParseResult& out_;
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
