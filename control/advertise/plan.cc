// SPDX-License-Identifier: Apache-2.0
#include "control/advertise/plan.h"

#include <linux/rtnetlink.h>

#include <map>

#include "absl/strings/str_cat.h"

namespace evenkeel::advertise {
namespace {

uint8_t FullLength(const model::IpAddress& address) { return address.is_ipv4() ? 32 : 128; }

}  // namespace

std::vector<Verdict> Judge(const std::vector<VipView>& vips,
                           const std::set<model::IpAddress>& present) {
  std::map<model::IpAddress, Verdict> verdicts;
  for (const VipView& vip : vips) {
    Verdict& verdict = verdicts[vip.address];
    verdict.address = vip.address;
    const bool known_or_there = vip.serving == Serving::kUnknown && present.contains(vip.address);
    if (vip.serving == Serving::kYes || known_or_there) verdict.wanted = true;
    if (vip.serving == Serving::kYes) {
      verdict.serving.push_back(vip.vip);
    } else {
      absl::StrAppend(&verdict.why, verdict.why.empty() ? "" : "; ", vip.vip, ": ", vip.why);
    }
  }
  std::vector<Verdict> ordered;
  for (auto& [address, verdict] : verdicts) ordered.push_back(std::move(verdict));
  return ordered;
}

bool IsAsMade(const OwnRoute& route, const RouteOptions& options) {
  return route.type == RTN_BLACKHOLE && route.length == FullLength(route.address) &&
         route.metric == options.metric;
}

Difference Compare(const std::set<model::IpAddress>& wanted, const std::vector<OwnRoute>& own,
                   const RouteOptions& options) {
  Difference difference;
  std::set<model::IpAddress> there;
  for (const OwnRoute& route : own) {
    if (IsAsMade(route, options) && wanted.contains(route.address)) {
      there.insert(route.address);
    } else {
      difference.remove.push_back(route);
    }
  }
  for (const model::IpAddress& address : wanted) {
    if (!there.contains(address)) difference.add.push_back(address);
  }
  return difference;
}

std::string Destination(const model::IpAddress& address) {
  return absl::StrCat(address.ToString(), "/", FullLength(address));
}

}  // namespace evenkeel::advertise
