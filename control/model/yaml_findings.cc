// SPDX-License-Identifier: Apache-2.0
#include "control/model/yaml_findings.h"

#include <set>
#include <string>

namespace evenkeel::model {
namespace {

// Whether something within `field` could not be read.
bool IsUnreadWithin(const std::set<std::string>& unread, const std::string& field) {
  const auto next = unread.lower_bound(field + ".");
  return next != unread.end() && next->starts_with(field + ".");
}

std::string ParentOf(const std::string& field) {
  const size_t dot = field.rfind('.');
  return dot == std::string::npos ? "" : field.substr(0, dot);
}

}  // namespace

void AddValidation(ParseResult& result) {
  std::set<std::string> unread;
  bool unread_pool_name = false, unread_vip_key = false, unread_rules_name = false;
  for (const Diagnostic& d : result.diagnostics) {
    unread.insert(d.field);
    const bool element = d.field.ends_with("]") || d.field.find('.') == std::string::npos;
    const bool pool = d.field.starts_with("pools"), vip = d.field.starts_with("vips");
    unread_pool_name = unread_pool_name || (pool && (element || d.field.ends_with("].name")));
    unread_vip_key = unread_vip_key || (vip && !d.field.ends_with(".name"));
    const bool rules = d.field.starts_with("source_rules");
    unread_rules_name = unread_rules_name || (rules && (element || d.field.ends_with("].name")));
  }
  for (Diagnostic& d : Validate(result.config)) {
    const bool vip = d.field.starts_with("vips");
    if (unread.contains(d.field) || unread.contains(ParentOf(d.field))) continue;
    if (IsUnreadWithin(unread, d.field)) continue;
    if (vip && unread_pool_name && d.field.ends_with(".pool")) continue;
    if (vip && unread_vip_key && d.field.ends_with(".address")) continue;
    const bool refers = d.field == "global_source_rules" || d.field.ends_with(".source_rules");
    if (unread_rules_name && refers) continue;
    d.location = result.sources.Find(d.field);
    result.diagnostics.push_back(std::move(d));
  }
}

}  // namespace evenkeel::model
