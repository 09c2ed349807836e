// SPDX-License-Identifier: Apache-2.0
//
// LB019: source rules keep few clients out, unless they say that they are meant to.
#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/server_weights.h"
#include "control/guard/words.h"
#include "control/model/text.h"

namespace evenkeel::guard {
namespace {

constexpr double kMaxNewlyDenied = 0.25;
constexpr char kDeclare[] =
    "or declare the set as meant to keep most sources out: lockdown: {reason, owner}";

// What two states say about a VIP's clients. Sets are compared as objects: states share those that
// do not differ.
using Step = std::tuple<const BuiltRules*, const BuiltRules*, const BuiltRules*, const BuiltRules*,
                        model::Family>;

Step StepOf(const SourceAccess& before, const SourceAccess& after, model::Family family) {
  return {before.global, before.own, after.global, after.own, family};
}

std::string SetsOf(const SourceAccess& access) {
  std::string names;
  for (const BuiltRules* rules : {access.global, access.own}) {
    if (rules != nullptr) absl::StrAppend(&names, names.empty() ? "" : ", ", rules->name());
  }
  return names;
}

const char* NameOf(model::Family family) {
  return family == model::Family::kIpv4 ? "IPv4" : "IPv6";
}

struct Changed {
  double denied = 0;  // share of what was admitted
  SourceAccess after;
  std::vector<std::string> vips;
  std::vector<std::string> fields;
};

// By step, so that a set of a million prefixes is walked over once, however many VIPs it has.
std::map<Step, Changed> FindChanged(const FleetState& candidate, const FleetState& base) {
  using Key = std::tuple<model::IpAddress, uint16_t, uint8_t>;
  const auto key_of = [](const model::Vip& vip) {
    return Key(vip.address, vip.port, IpProtocol(vip.protocol));
  };
  std::map<Key, SourceAccess> before;
  for (const model::Vip& vip : base.fleet->vips) before[key_of(vip)] = base.fleet->AccessOf(vip);
  std::map<Step, Changed> changed;
  for (size_t i = 0; i < candidate.fleet->vips.size(); ++i) {
    const model::Vip& vip = candidate.fleet->vips[i];
    const auto it = before.find(key_of(vip));
    const SourceAccess after = candidate.fleet->AccessOf(vip);
    if (it == before.end() || it->second == after || after.IsLockdown()) continue;
    const model::Family family = vip.address.family();
    auto [entry, fresh] = changed.try_emplace(StepOf(it->second, after, family));
    if (fresh) entry->second = {NewlyDeniedShare(it->second, after, family), after, {}, {}};
    entry->second.vips.push_back(vip.name);
    entry->second.fields.push_back(absl::StrCat("vips[", i, "]"));
  }
  return changed;
}

}  // namespace

void CheckSourcesAdmitted(const PoolCase& c, Report& report) {
  report.limit = "every VIP admits some source";
  size_t ruled = 0;
  std::map<std::pair<const BuiltRules*, const BuiltRules*>, bool> known[2];
  for (const size_t index : c.state.vips) {
    const model::Vip& vip = c.fleet.fleet->vips[index];
    const SourceAccess access = c.fleet.fleet->AccessOf(vip);
    if (!access.any()) continue;
    ++ruled;
    const model::Family family = vip.address.family();
    auto [it, fresh] = known[vip.address.is_ipv4()].try_emplace({access.global, access.own}, false);
    if (fresh) it->second = FindAdmitted(access, family).has_value();
    if (it->second || access.IsLockdown()) continue;
    Finding& finding = report.Add(Severity::kBlock, absl::StrCat("vips/", vip.name),
                                  absl::StrCat("vips[", index, "]"));
    finding.key = absl::StrCat(vip.address.ToString(), " ", vip.port, " ",
                               model::Av(model::ToString(vip.protocol)));
    finding.badness = 1;
    finding.violation.observed =
        absl::StrCat("source rules (", SetsOf(access), ") deny every ", NameOf(family), " address");
    finding.violation.limit = report.limit;
    finding.violation.fix =
        absl::StrCat("allow the prefixes of the VIP's clients, remove the VIP, ", kDeclare);
  }
  report.observed = ruled == 0 ? std::string("no VIP has source rules")
                               : absl::StrCat(Count(ruled, "VIP"), " with source rules");
}

void CheckNewlyDenied(const Case& c, Report& report) {
  double worst = 0;
  report.limit = absl::StrCat(Percent(kMaxNewlyDenied), " of what a VIP admits now");
  for (auto& [step, changed] : FindChanged(c.fleet, *c.running)) {
    worst = std::max(worst, changed.denied);
    if (changed.denied <= kMaxNewlyDenied) continue;
    Finding& finding = report.Add(Severity::kBlock, absl::StrCat("vips/", changed.vips.front()),
                                  changed.fields.front());
    finding.violation.observed =
        absl::StrCat(Percent(changed.denied), " of the ", NameOf(std::get<model::Family>(step)),
                     " addresses that may have ", NameList(changed.vips),
                     " now would be denied (source rules ", SetsOf(changed.after), ")");
    finding.violation.limit = report.limit;
    finding.violation.fix = absl::StrCat("deny narrower prefixes, at most ",
                                         Percent(kMaxNewlyDenied), " in one update, ", kDeclare);
  }
  report.observed = absl::StrCat(Percent(worst), " newly denied");
}

}  // namespace evenkeel::guard
