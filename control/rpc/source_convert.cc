// SPDX-License-Identifier: Apache-2.0
//
// Who may have a VIP: source rules and limits.
#include "absl/strings/str_cat.h"
#include "control/rpc/convert_parts.h"
#include "control/rpc/enum_convert.h"

namespace evenkeel::rpc {
namespace {

void RateToProto(const model::RateLimit& limit, v1::RateLimit* out) {
  out->set_rate(limit.rate);
  out->set_burst(limit.burst);
}

model::RateLimit RateFromProto(const v1::RateLimit& limit) {
  return {.rate = limit.rate(), .burst = limit.has_burst() ? limit.burst() : limit.rate()};
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
      AddProblem(problems, absl::StrCat(path, "[", i, "]"), std::string(prefix.status().message()));
    }
  }
  if (unread > kMaxProblems) {
    AddProblem(problems, path,
               absl::StrCat("has ", unread - kMaxProblems, " more that are no prefixes"));
  }
  return prefixes;
}

}  // namespace

v1::VipLimits ToProto(const model::VipLimits& limits) {
  v1::VipLimits out;
  if (limits.new_flows) RateToProto(*limits.new_flows, out.mutable_new_flows());
  if (limits.per_source) RateToProto(*limits.per_source, out.mutable_per_source());
  return out;
}

model::VipLimits LimitsFromProto(const v1::VipLimits& limits) {
  model::VipLimits result;
  if (limits.has_new_flows()) result.new_flows = RateFromProto(limits.new_flows());
  if (limits.has_per_source()) result.per_source = RateFromProto(limits.per_source());
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

model::SourceRules SourceRulesFromProto(const v1::SourceRules& rules, const std::string& path,
                                        Problems* problems) {
  model::SourceRules result;
  result.name = rules.name();
  result.fallback = FromProto(rules.default_(), absl::StrCat(path, ".default"), problems);
  result.deny = PrefixesFromProto(rules.deny(), absl::StrCat(path, ".deny"), problems);
  result.allow = PrefixesFromProto(rules.allow(), absl::StrCat(path, ".allow"), problems);
  if (rules.has_lockdown()) {
    result.lockdown = {.reason = rules.lockdown().reason(), .owner = rules.lockdown().owner()};
  }
  return result;
}

}  // namespace evenkeel::rpc
