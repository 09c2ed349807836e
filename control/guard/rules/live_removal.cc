// SPDX-License-Identifier: Apache-2.0
//
// LB015: what carries traffic is not removed by accident.
#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/server_weights.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr int64_t kRecent = 5 * int64_t{60'000'000'000};

using VipKey = std::tuple<model::IpAddress, uint16_t, uint8_t>;

VipKey KeyOf(const model::Vip& vip) { return {vip.address, vip.port, IpProtocol(vip.protocol)}; }

bool IsLive(const Traffic::Vip& vip, int64_t now) {
  return vip.packets > 0 ||
         (vip.last_packet_unix_ns != 0 && now - vip.last_packet_unix_ns < kRecent);
}

void AddLive(const Case& c, const std::string& subject, std::string observed,
             std::vector<Edit> edits, Report& report) {
  const bool allowed = c.consent.allow_live;
  Finding& finding = report.Add(allowed ? Severity::kWarn : Severity::kBlock, subject, "");
  finding.violation.observed = std::move(observed);
  finding.violation.limit = absl::StrCat(report.limit, allowed ? "; allowed by --allow-live" : "");
  finding.violation.fix =
      "move its clients away first, or say that it may go with its traffic: --allow-live";
  finding.edits = std::move(edits);
}

void CheckVips(const Case& c, const Traffic& traffic, Report& report) {
  std::set<VipKey> kept;
  for (const model::Vip& vip : c.fleet.fleet->vips) kept.insert(KeyOf(vip));
  for (const model::Vip& vip : c.running->fleet->vips) {
    const auto it = traffic.vips.find(vip.name);
    if (kept.contains(KeyOf(vip)) || it == traffic.vips.end()) continue;
    if (!IsLive(it->second, c.facts.live->now_unix_ns)) continue;
    AddLive(
        c, absl::StrCat("vips/", vip.name),
        absl::StrCat("VIP ", vip.name, " would go, with ", it->second.packets,
                     " packets in the last 5 minutes"),
        {{Edit::Kind::kKeepPool, vip.pool, "", 0}, {Edit::Kind::kKeepVip, vip.pool, vip.name, 0}},
        report);
  }
}

// Of pools that a VIP still leads to, the VIP tells whether traffic is lost; connections of a VIP
// that has just left may still be on the pool's servers.
void CheckPools(const Case& c, const Traffic& traffic, Report& report) {
  for (const PoolState& before : c.running->pools) {
    const std::string& name = before.pool->name;
    const auto it = traffic.pools.find(name);
    if (c.fleet.Find(name) != nullptr || !before.vips.empty()) continue;
    if (it == traffic.pools.end() || it->second == 0) continue;
    AddLive(c, absl::StrCat("pools/", name),
            absl::StrCat("pool ", name, " would go, with ", it->second,
                         " packets in the last 5 minutes"),
            {{Edit::Kind::kKeepPool, name, "", 0}}, report);
  }
}

// Whether there is anything for the counters to say.
bool RemovesAny(const Case& c) {
  std::set<VipKey> kept;
  for (const model::Vip& vip : c.fleet.fleet->vips) kept.insert(KeyOf(vip));
  const auto gone = [&](const model::Vip& vip) { return !kept.contains(KeyOf(vip)); };
  const auto lost = [&](const PoolState& pool) { return !c.fleet.Find(pool.pool->name); };
  const auto& vips = c.running->fleet->vips;
  return std::any_of(vips.begin(), vips.end(), gone) ||
         std::any_of(c.running->pools.begin(), c.running->pools.end(), lost);
}

}  // namespace

void CheckLiveRemoval(const Case& c, Report& report) {
  report.limit = "what is removed carried no traffic in the last 5 minutes";
  if (IsOffline(c, report)) return;
  report.observed = "nothing removed";
  if (!RemovesAny(c)) return;
  const auto& traffic = c.facts.live->traffic;
  if (!traffic.ok()) {
    AddLacking("what carried traffic", traffic.status(), report);
    return;
  }
  report.observed = "nothing removed that carried traffic";
  CheckVips(c, *traffic, report);
  CheckPools(c, *traffic, report);
}

}  // namespace evenkeel::guard
