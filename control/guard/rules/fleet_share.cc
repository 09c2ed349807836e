// SPDX-License-Identifier: Apache-2.0
//
// LB018: one server's part of all traffic. Pools may each be sound and yet share a server; live
// traffic says what that amounts to.
#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/guard/rules/rules.h"
#include "control/guard/server_weights.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr double kMaxFactor = 2;
constexpr double kMaxShare = 0.5;
// Quotas are whole slots, and a table has 251 at least.
constexpr double kRounding = 0.005;

using VipKey = std::tuple<model::IpAddress, uint16_t, uint8_t>;

VipKey KeyOf(const model::Vip& vip) { return {vip.address, vip.port, IpProtocol(vip.protocol)}; }

// Packets of the VIPs that stay, by key: what comes in does not depend on where it goes.
std::map<VipKey, double> PacketsOf(const Case& c, const Traffic& traffic) {
  std::map<VipKey, double> packets;
  for (const model::Vip& vip : c.running->fleet->vips) {
    const auto it = traffic.vips.find(vip.name);
    if (it != traffic.vips.end()) {
      packets[KeyOf(vip)] = static_cast<double>(it->second.packets);
    }
  }
  return packets;
}

double TrafficOf(const PoolState& pool, const FleetState& state,
                 const std::map<VipKey, double>& packets) {
  double traffic = 0;
  for (size_t i : pool.vips) {
    const auto it = packets.find(KeyOf(state.fleet->vips[i]));
    if (it != packets.end()) traffic += it->second;
  }
  return traffic;
}

struct Loads {
  std::map<model::IpAddress, double> of;
  std::map<model::IpAddress, std::string> names;
  double total = 0;
};

// A pool that is declared to have one server puts its traffic there; that counts as traffic, not
// against the server.
Loads LoadsOf(const FleetState& state, const std::map<VipKey, double>& packets) {
  Loads loads;
  for (const PoolState& pool : state.pools) {
    const double traffic = TrafficOf(pool, state, packets);
    loads.total += traffic;
    if (traffic == 0 || pool.policy.single_backend) continue;
    for (const Server& server : pool.servers) {
      loads.of[server.address] += traffic * pool.Share(server);
      std::string& names = loads.names[server.address];
      absl::StrAppend(&names, names.empty() ? "" : ", ", pool.pool->name, "/", pool.NameOf(server));
    }
  }
  return loads;
}

// The most that any server could have, were the hottest of all pools one server: cheap to know, and
// nearly always enough.
double MostPossible(const FleetState& state, const std::map<VipKey, double>& packets) {
  double most = 0, total = 0;
  for (const PoolState& pool : state.pools) {
    const double traffic = TrafficOf(pool, state, packets);
    uint32_t slots = 0;
    for (const Server& server : pool.servers) slots = std::max(slots, server.slots);
    total += traffic;
    if (!pool.policy.single_backend) most += traffic * slots / pool.size();
  }
  return total == 0 ? 0 : most / total;
}

void CheckServer(const model::IpAddress& address, double before, double after, const Loads& loads,
                 Report& report) {
  const double share = after / loads.total;
  if (share <= kMaxShare + kRounding || after <= kMaxFactor * (before + kRounding * loads.total)) {
    return;
  }
  Finding& finding = report.Add(Severity::kBlock, absl::StrCat("servers/", address.ToString()), "");
  finding.key = address.ToString();
  finding.violation.observed =
      absl::StrFormat("%s (%s) would get %s of all traffic, now %s", address.ToString(),
                      loads.names.at(address), Percent(share), Percent(before / loads.total));
  finding.violation.limit = report.limit;
  finding.violation.fix =
      "lower its weight in these pools, or spread the change over several updates";
}

}  // namespace

void CheckFleetShare(const Case& c, Report& report) {
  report.limit = absl::StrFormat("%gx what a server gets now, or %s of all traffic", kMaxFactor,
                                 Percent(kMaxShare));
  if (IsOffline(c, report)) return;
  const auto& traffic = c.facts.live->traffic;
  if (!traffic.ok()) {
    report.observed = "nothing changed";
    if (!c.fleet.fleet->HasConfigOf(*c.running->fleet)) {
      AddLacking("what traffic the pools carry", traffic.status(), report);
    }
    return;
  }
  const std::map<VipKey, double> packets = PacketsOf(c, *traffic);
  if (const double most = MostPossible(c.fleet, packets); most <= kMaxShare) {
    report.observed = absl::StrCat("no server has more than ", Percent(most), " of all traffic");
    return;
  }
  const Loads before = LoadsOf(*c.running, packets), after = LoadsOf(c.fleet, packets);
  double most = 0;
  for (const auto& [address, load] : after.of) {
    const auto it = before.of.find(address);
    const double now = it == before.of.end() ? 0 : it->second;
    CheckServer(address, now, load, after, report);
    if (load < most) continue;
    most = load;
    report.observed = absl::StrFormat("most: %s (%s) %s of all traffic", address.ToString(),
                                      after.names.at(address), Percent(load / after.total));
  }
}

}  // namespace evenkeel::guard
