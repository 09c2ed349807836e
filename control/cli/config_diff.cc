// SPDX-License-Identifier: Apache-2.0
#include "control/cli/config_diff.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "control/cli/cat.h"
#include "control/json/config.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;
using Kind = Difference::Kind;

// Nested objects become "policy.max_share".
void Flatten(const ordered_json& object, const std::string& prefix,
             std::map<std::string, ordered_json>& fields) {
  for (const auto& [key, value] : object.items()) {
    const std::string path = prefix.empty() ? key : Cat(prefix, ".", key);
    if (value.is_object()) {
      Flatten(value, path, fields);
    } else {
      fields[path] = value;
    }
  }
}

std::map<std::string, ordered_json> Fields(const ordered_json& object) {
  std::map<std::string, ordered_json> fields;
  Flatten(object, "", fields);
  return fields;
}

void DiffFields(const std::string& object, const ordered_json& before, const ordered_json& after,
                std::vector<Difference>& out) {
  const auto old_fields = Fields(before), new_fields = Fields(after);
  for (const auto& [field, value] : old_fields) {
    const auto other = new_fields.find(field);
    const ordered_json now = other == new_fields.end() ? ordered_json() : other->second;
    if (now != value) out.push_back({Kind::kChanged, object, field, value, now});
  }
  for (const auto& [field, value] : new_fields) {
    if (!old_fields.contains(field)) out.push_back({Kind::kChanged, object, field, {}, value});
  }
}

// Pairs the elements of two lists by name: removed ones first, then in the order of `after`.
template <typename T, typename Both>
void DiffLists(const std::string& parent, const std::vector<T>& before, const std::vector<T>& after,
               std::vector<Difference>& out, const Both& both) {
  std::map<std::string_view, const T*> old_by_name, new_by_name;
  for (const T& element : before) old_by_name[element.name] = &element;
  for (const T& element : after) new_by_name[element.name] = &element;
  for (const T& element : before) {
    if (new_by_name.contains(element.name)) continue;
    out.push_back({Kind::kRemoved, Cat(parent, "/", element.name), "", json::ToJson(element), {}});
  }
  for (const T& element : after) {
    const std::string object = Cat(parent, "/", element.name);
    const auto old = old_by_name.find(element.name);
    if (old == old_by_name.end()) {
      out.push_back({Kind::kAdded, object, "", {}, json::ToJson(element)});
    } else if (!(*old->second == element)) {
      both(object, *old->second, element);
    }
  }
}

constexpr size_t kPrefixSamples = 3;

std::string Samples(const std::vector<model::Prefix>& prefixes) {
  std::string text;
  for (size_t i = 0; i < prefixes.size() && i < kPrefixSamples; ++i) {
    text += Cat(i == 0 ? "" : ", ", prefixes[i].ToString());
  }
  return prefixes.size() > kPrefixSamples ? text + ", ..." : text;
}

std::vector<model::Prefix> Sorted(std::vector<model::Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return prefixes;
}

std::vector<model::Prefix> Without(const std::vector<model::Prefix>& a,
                                   const std::vector<model::Prefix>& b) {
  std::vector<model::Prefix> rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
  return rest;
}

void DiffPrefixes(const std::string& object, const char* field,
                  const std::vector<model::Prefix>& before, const std::vector<model::Prefix>& after,
                  std::vector<Difference>& out) {
  if (before == after) return;
  const auto a = Sorted(before), b = Sorted(after);
  const auto added = Without(b, a), removed = Without(a, b);
  if (added.empty() && removed.empty()) return;  // only the order differs
  std::string how;
  if (!added.empty()) how += Cat("+", added.size(), ": ", Samples(added));
  if (!removed.empty()) {
    how += Cat(how.empty() ? "" : "; ", "-", removed.size(), ": ", Samples(removed));
  }
  const auto count = [](size_t n) { return Cat(n, n == 1 ? " prefix" : " prefixes"); };
  out.push_back(
      {Kind::kChanged, object, field, count(a.size()), Cat(count(b.size()), " (", how, ")")});
}

// Without the lists, which are counted.
ordered_json Summarized(const model::SourceRules& rules) {
  ordered_json object = json::ToJson(model::SourceRules{.name = rules.name,
                                                        .fallback = rules.fallback,
                                                        .deny = {},
                                                        .allow = {},
                                                        .lockdown = rules.lockdown});
  object["deny"] = Sorted(rules.deny).size();
  object["allow"] = Sorted(rules.allow).size();
  return object;
}

void DiffRules(const model::Config& before, const model::Config& after,
               std::vector<Difference>& out) {
  for (const model::SourceRules& rules : before.source_rules) {
    if (after.FindSourceRules(rules.name) != nullptr) continue;
    out.push_back({Kind::kRemoved, Cat("source_rules/", rules.name), "", Summarized(rules), {}});
  }
  for (const model::SourceRules& rules : after.source_rules) {
    const std::string object = Cat("source_rules/", rules.name);
    const model::SourceRules* old = before.FindSourceRules(rules.name);
    if (old == nullptr) {
      out.push_back({Kind::kAdded, object, "", {}, Summarized(rules)});
      continue;
    }
    if (*old == rules) continue;
    DiffPrefixes(object, "deny", old->deny, rules.deny, out);
    DiffPrefixes(object, "allow", old->allow, rules.allow, out);
    ordered_json own_a = Summarized(*old), own_b = Summarized(rules);
    for (const char* list : {"deny", "allow"}) {
      own_a.erase(list);
      own_b.erase(list);
    }
    DiffFields(object, own_a, own_b, out);
  }
  if (before.global_source_rules == after.global_source_rules) return;
  const auto value = [](const std::string& name) {
    return name.empty() ? ordered_json() : ordered_json(name);
  };
  out.push_back({Kind::kChanged, "config", "global_source_rules", value(before.global_source_rules),
                 value(after.global_source_rules)});
}

void DiffPolicy(const model::Policy& before, const model::Policy& after,
                std::vector<Difference>& out) {
  model::Config a, b;
  a.policy = before;
  b.policy = after;
  DiffFields("config", json::ToJson(a), json::ToJson(b), out);
}

std::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kAdded:
      return "added";
    case Kind::kRemoved:
      return "removed";
    case Kind::kChanged:
      break;
  }
  return "changed";
}

std::string Scalar(const ordered_json& value) {
  if (value.is_null()) return "(none)";
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// One line about an object that came or went: its fields, without its name; lists by their size.
std::string Summary(const ordered_json& object) {
  std::string text;
  for (const auto& [field, value] : Fields(object)) {
    if (field == "name") continue;
    text += Cat(text.empty() ? "" : ", ", field, " ",
                value.is_array() ? std::to_string(value.size()) : Scalar(value));
  }
  return text;
}

}  // namespace

std::vector<Difference> DiffConfigs(const model::Config& before, const model::Config& after) {
  std::vector<Difference> out;
  DiffLists("vips", before.vips, after.vips, out,
            [&](const std::string& object, const model::Vip& a, const model::Vip& b) {
              DiffFields(object, json::ToJson(a), json::ToJson(b), out);
            });
  const auto diff_backend = [&](const std::string& object, const model::Backend& a,
                                const model::Backend& b) {
    DiffFields(object, json::ToJson(a), json::ToJson(b), out);
  };
  DiffLists("pools", before.pools, after.pools, out,
            [&](const std::string& object, const model::Pool& a, const model::Pool& b) {
              ordered_json own_a = json::ToJson(a), own_b = json::ToJson(b);
              own_a.erase("backends");
              own_b.erase("backends");
              DiffFields(object, own_a, own_b, out);
              DiffLists(Cat(object, "/backends"), a.backends, b.backends, out, diff_backend);
            });
  DiffRules(before, after, out);
  DiffPolicy(before.policy, after.policy, out);
  return out;
}

ordered_json ToJson(const std::vector<Difference>& differences) {
  ordered_json list = ordered_json::array();
  for (const Difference& d : differences) {
    list.push_back({{"kind", std::string(Name(d.kind))},
                    {"object", d.object},
                    {"field", d.field},
                    {"before", d.before},
                    {"after", d.after}});
  }
  return list;
}

void PrintDifferences(Printer& out, size_t indent, const std::vector<Difference>& differences) {
  for (const Difference& d : differences) {
    switch (d.kind) {
      case Kind::kAdded:
        out.Hanging(indent, {"+ " + d.object + ":", Style::kGood}, Summary(d.after));
        break;
      case Kind::kRemoved:
        out.Hanging(indent, {"- " + d.object, Style::kBad}, "");
        break;
      case Kind::kChanged:
        out.Hanging(indent, {"~ " + d.object + ":", Style::kWarn},
                    Cat(d.field, " ", Scalar(d.before), " -> ", Scalar(d.after)));
        break;
    }
  }
}

}  // namespace evenkeel::cli
