// SPDX-License-Identifier: Apache-2.0
//
// The one list of rules: ids, names, texts and checks. docs/rules.md is generated from it.
#include "control/guard/rules/rules.h"

namespace evenkeel::guard {
namespace {

Rule OnPool(RuleInfo info, void (*check)(const PoolCase&, Report&)) {
  Rule rule;
  rule.info = info;
  rule.pool = check;
  return rule;
}

Rule OnTransition(RuleInfo info, void (*check)(const TransitionCase&, Report&)) {
  Rule rule;
  rule.info = info;
  rule.transition = check;
  return rule;
}

Rule BackendShare() {
  Rule rule = OnPool(
      {"LB001", "backend-share", "No server owns too much of the table as built.",
       "Block above 2x a server's capacity-weighted share, above 50 % with 3 or more serving, or "
       "above 80 % with fewer. Warn above 1.25x.",
       "One server that gets most of the traffic is the outage that this load balancer exists to "
       "prevent. Slots are counted on the built table, per server: a server listed under several "
       "names counts once. The capacity-weighted share is the server's part of the pool's "
       "`capacity` where every serving backend declares one, else its part of the weights. "
       "`policy.max_share_factor` and `policy.max_share` tighten the limits; "
       "`policy.single_backend` declares a pool that is meant to have one server.",
       "weights 1000, 1, 1, 1: the first server gets 99.7 % of the slots",
       "weights 3, 1, 1, 1: 50.0 %"},
      CheckBackendShare);
  rule.limits = {kShareFactor, kShare};
  rule.allows_drain_of_one = true;
  rule.relieves = true;
  rule.binds_health = true;
  return rule;
}

Rule TableIntent() {
  Rule rule = OnPool(
      {"LB002", "table-intent", "The built table is what the weights ask for.",
       "Block if a server's share is off by more than 2 % of itself and by more than 2 slots.",
       "Weights can lie: a builder may overflow or round and put every slot on one server. The "
       "rule counts the slots of the table that would be published, and checks that the table is "
       "of this pool's size and servers and has the digest it claims.",
       "four servers of weight 100, all slots owned by the first",
       "four servers of weight 100 with 16384 or 16385 slots each of 65537"},
      CheckTableIntent);
  rule.forgives_base = false;
  rule.binds_rollback = true;
  rule.allows_exception = rule.allows_override = false;
  rule.binds_health = true;
  return rule;
}

Rule MinServing() {
  Rule rule = OnPool(
      {"LB003", "min-serving", "Enough servers serve.",
       "Block below 2 serving servers, unless the pool declares `single_backend`.",
       "With one server, its failure is the failure of the service. A backend serves if it is "
       "enabled and its weight is above 0; a server under two names is one server. "
       "`policy.min_serving_backends` raises the limit; `policy.single_backend: {reason, owner}` "
       "declares a pool of one, also for the time that one of two hosts is out of service.",
       "web-1 enabled, web-2..web-4 draining", "web-1 and web-2 enabled, web-3 and web-4 draining"},
      CheckMinServing);
  rule.allows_drain_of_one = true;
  rule.relieves = true;
  rule.binds_health = true;
  return rule;
}

Rule NMinus1() {
  Rule rule = OnPool(
      {"LB004", "n-minus-1", "The rest carries what a lost server, rack or zone leaves.",
       "Block if, after the loss of any one backend, rack or zone, a server would get more than "
       "80 % of its capacity. Warn instead where a serving backend declares no `capacity`.",
       "Servers fail, and so do racks and zones; what is left must not fail with them. Slots of "
       "what is lost go to the others as the built table would respread them. The load is "
       "`policy.peak_load`, in the unit of `capacity`: the most that the pool gets. Without it, "
       "a pool is taken to get a quarter of its serving capacity, so that what is refused is "
       "lopsided whatever the load: two servers or zones of which one is more than 2.2 times the "
       "other. Without capacities, weights stand for them. A rack or zone that all of the pool "
       "is in is not judged, nor is `policy.single_backend`: there is nothing left to judge.",
       "capacity 30000 in zone a and 5000 in zone b: losing zone a leaves zone b with 175 % of its "
       "capacity at a quarter of all",
       "capacity 30000 in zone a and 10000 in zone b: 100 % at a quarter of all, so with "
       "`peak_load: 8000`: 80 %"},
      CheckNMinus1);
  rule.allows_drain_of_one = true;
  return rule;
}

Rule RemovedAtOnce() {
  Rule rule = OnTransition(
      {"LB005", "removed-at-once", "An update takes away little at a time.",
       "Block if an update removes or drains more than one server and more than 25 % of the "
       "serving weight, or more than one VIP and more than 25 % of the VIPs, or every VIP.",
       "A truncated list, a failed query or a bad template removes many backends at once; absent "
       "does not mean delete. Weight counts as it runs now. A VIP that moves to another pool is "
       "judged as if its servers changed; a pool that no VIP uses may go freely. "
       "`policy.max_removed_fraction` tightens the limit. There is nothing to compare with at the "
       "first start.",
       "two of four equal backends removed", "one of four equal backends removed"},
      CheckRemovedAtOnce);
  rule.limits = {kRemoved};
  rule.fleet = CheckRemovedVips;
  rule.allows_drain_of_one = true;
  return rule;
}

Rule Remapped() {
  Rule rule = OnTransition(
      {"LB006", "remapped-slots", "An update moves few slots.",
       "Block if more than 30 % of a pool's slots change their server. Warn if more move than the "
       "change in shares needs, plus 2 points.",
       "TCP connections stay with their server while their slot moves, but UDP flows go with the "
       "slot, caches are cold where it arrives, and connections of a server that is removed "
       "break. Go in steps: a smaller weight first, the rest when the first step has settled. A "
       "change of `table_size`, or of what a VIP is spread by (`affinity` source and its "
       "prefixes, `spread_by`), remaps everything; give it to a new pool. "
       "`policy.max_remapped_fraction` tightens the limit. Draining one host, mending a pool "
       "that LB001 or LB003 finds bad, and replacing the server of a declared single-backend "
       "pool only warn.",
       "a third backend of weight 100 beside two of weight 100: 33 % of slots move",
       "the third backend with weight 84 first: 29.6 %"},
      CheckRemapped);
  rule.limits = {kRemapped};
  rule.allows_drain_of_one = true;
  rule.yields_to_relief = true;
  return rule;
}

Rule Weights() {
  Rule rule = OnPool(
      {"LB007", "weights", "Weights are sane and close to each other.",
       "Block a weight outside 1..1000 (0 drains) and a heaviest to lightest ratio above 20 : 1. "
       "Warn above 10 : 1.",
       "A weight beyond the others is more often a slip (a port, a percentage, a missing zero) "
       "than a wish. Ratios are taken among serving backends. `policy.max_weight_ratio` tightens "
       "the limit.",
       "weight: 65536", "weight: 100"},
      CheckWeights);
  rule.limits = {kWeightRatio};
  return rule;
}

Rule Duplicates() {
  Rule rule = OnPool(
      {"LB008", "duplicates", "A pool lists each server once.",
       "Block an address that occurs twice in a pool, also under another name or drained.",
       "Three names for one server look like redundancy and are none, and give it three shares. "
       "The same server in several pools is one entry in each.",
       "{name: web-1, address: 10.0.1.11} and {name: web-2, address: 10.0.1.11}",
       "{name: web-1, address: 10.0.1.11} and {name: web-2, address: 10.0.1.12}"},
      CheckDuplicates);
  rule.allows_exception = rule.allows_override = false;
  return rule;
}

Rule Addresses() {
  Rule rule =
      OnPool({"LB009", "address", "Every address can be forwarded to.",
              "Block a backend that is a VIP, this host's own, loopback, multicast, broadcast, "
              "link-local or unspecified; a VIP that is not unicast; and a VIP whose family the "
              "forwarding cannot carry to a backend's.",
              "A packet to such an address loops or vanishes. `ipip` and `gue` carry IPv4 over "
              "IPv4 or IPv6, and IPv6 over IPv6; `l2` needs one family.",
              "an IPv6 VIP on a pool of IPv4 backends with forwarding: ipip",
              "an IPv4 VIP on a pool of IPv6 backends with forwarding: ipip"},
             CheckAddresses);
  rule.allows_exception = rule.allows_override = false;
  return rule;
}

Rule Reachability() {
  Rule rule = OnPool(
      {"LB010", "reachability", "Packets get to the servers that enter.",
       "Block if none of the servers that a change gives traffic to can be reached: no route, no "
       "neighbour, or a path too small for the encapsulation. If some cannot, they enter with "
       "weight 0.",
       "A new subnet without a route, a host that is not up yet, or an MTU that swallows large "
       "packets turns a share of the pool into silence. Counted are servers that would serve and "
       "do not serve now, and all of a pool that a VIP newly leads to, as this host's routes and "
       "neighbours stand. A server that cannot be reached enters with weight 0 if others can be "
       "that "
       "enter with it, and the verdict says so: no flow is sent where it would be dropped. Once it "
       "answers, give it its weight, or apply the same file again. Who overrides the rule lets it "
       "enter with its weight, and so does a pool with an exception. The "
       "first state and a pool without VIPs only warn. A rollback is refused if none of a pool's "
       "serving backends can be reached.",
       "both new backends of the pool in a subnet without a route",
       "the same backends with weight: 0 until the route is there"},
      CheckReachability);
  rule.forgives_base = false;  // it only looks at what enters
  rule.binds_rollback = true;
  return rule;
}

// Judged where health changes tables, not on a change of the configuration.
Rule MassHealthFailure() {
  return {{"LB011", "mass-health-failure", "Health never empties a pool.",
           "Freeze the table if fewer than 50 % of a pool's servers are healthy: traffic goes on "
           "to all of them.",
           "When most probes fail at once, the probes are broken more often than the servers, and "
           "the few that are left would get everything. The pool keeps its last table and an alarm "
           "is raised. Judged by the health checks on each transition (JudgeMassFailure in "
           "control/guard/health_limits.h), not on a change of the configuration.",
           "3 of 8 servers healthy: the table stays as it is", "4 of 8 servers healthy"}};
}

Rule HealthRemovals() {
  return {
      {"LB012", "health-removals", "Health takes servers out a few at a time.",
       "Hold beyond max(1, 10 %) of a pool's servers in a minute.",
       "A fault that moves from server to server, or a slow one that all share, would take the "
       "pool apart within seconds. What is beyond the limit stays in the table until the minute "
       "is over. Judged by the health checks on each transition (RemovalsAllowed in "
       "control/guard/health_limits.h), not on a change of the configuration.",
       "a third of 20 servers taken out within a minute", "two of 20 servers"}};
}

Rule StaleEtag() {
  return {{"LB013", "stale-etag", "A change is made against what runs.",
           "Refuse if the state changed since the caller read it.",
           "Two people, or a person and a script, who edit the same state would undo each other's "
           "change without knowing. Judged by the daemon before all other rules, by comparing the "
           "request's etag with the running state's: read the state again, look at the difference, "
           "and make the change anew.",
           "an apply with the etag of revision 41 while revision 42 runs",
           "an apply with the etag of revision 42"}};
}

Rule OnFleet(RuleInfo info, void (*check)(const Case&, Report&)) {
  Rule rule;
  rule.info = info;
  rule.fleet = check;
  rule.allows_exception = false;
  return rule;
}

Rule PaceOfChanges() {
  Rule rule = OnFleet(
      {"LB014", "pace", "One change at a time, and time to see what it did.",
       "Refuse while a revision awaits its confirmation, less than 30 s after the last change of "
       "the same pool, and beyond 10 changes of a pool in an hour.",
       "Damage shows in the traffic after seconds; a script in a loop, or two changes at once, "
       "leave nobody the time to see which it was. The drain of one host, and a change that mends "
       "a pool, do not wait; a rollback never does.",
       "a second change of the pool after 10 s", "the same change after 30 s"},
      CheckPace);
  rule.allows_exception = true;
  rule.yields_to_emergency = true;
  return rule;
}

Rule LiveRemoval() {
  return OnFleet(
      {"LB015", "live-removal", "What carries traffic is not removed by accident.",
       "Block if a VIP or pool that would go had packets in the last 5 minutes, unless the request "
       "says `--allow-live`.",
       "A VIP that clients use and that is gone from a file is more often a slip than a wish: "
       "absent does not mean delete. A VIP is its address, port and IP protocol; one that is "
       "renamed, or gets another pool, stays.",
       "VIP web removed, 120000 packets in the last 5 minutes",
       "the same VIP 5 minutes after its clients have left, or with --allow-live"},
      CheckLiveRemoval);
}

Rule FreezeRule() {
  Rule rule = OnFleet(
      {"LB016", "freeze", "Nothing changes in a freeze.",
       "Refuse from `from` until `to` of each entry of `policy.freeze`.",
       "Holidays and launches are no time for changes. Entries of the host, of the running "
       "configuration and of the running pools that a change touches count, each for its part; "
       "those of the candidate do not, so that a change cannot end the freeze that it falls into. "
       "The drain of one host, and a change that mends a pool, are not held up; a rollback never "
       "is.",
       "{from: 2026-12-24T18:00:00Z, to: 2026-12-27T06:00:00Z, reason: holiday}, and an apply on "
       "the 25th",
       "the same apply on the 27th at 06:00:00Z"},
      CheckFreeze);
  rule.yields_to_emergency = true;
  return rule;
}

Rule TableSize() {
  return OnPool(
      {"LB017", "table-size", "The table has room for its backends.",
       "Block fewer than 100 slots per listed backend.",
       "With few slots a share is coarse, and one slot more or less is a large part of it. Table "
       "sizes are primes up to 655373, enough for 6553 backends.",
       "5000 backends with table_size: 65537", "5000 backends with table_size: 500009"},
      CheckTableSize);
}

Rule FleetShare() {
  Rule rule = OnFleet(
      {"LB018", "fleet-share", "No server gets too much of all traffic.",
       "Block if a server, over all its pools, would get more than twice its present load and more "
       "than 50 % of all traffic.",
       "Pools may each be sound and yet share a server. Its load is the sum of its shares, "
       "weighted by the packets that the VIPs of each pool had in the last 5 minutes; a VIP "
       "takes its traffic along where it goes. Pools with `single_backend` count as traffic, not "
       "against their server.",
       "the server that has 20 % of all traffic becomes the heaviest in three pools: 55 %",
       "the same in one of the pools: 38 %"},
      CheckFleetShare);
  rule.yields_to_emergency = true;
  return rule;
}

Rule SourceAccessRule() {
  Rule rule = OnPool(
      {"LB019", "source-access", "Source rules keep few clients out.",
       "Block if a VIP would admit no source at all, or if an update denies more than 25 % of the "
       "addresses that a VIP admits now.",
       "A prefix that lost its length (0.0.0.0/0), a list that was meant for `allow`, or a "
       "default that was turned round shuts every client out, and looks like an outage of the "
       "service. Counted are addresses of the VIP's family, in IPv6 those of 2000::/3, as the "
       "global rules and the VIP's own leave them. `lockdown: {reason, owner}` on a set that the "
       "VIP has declares that it is meant to keep most sources out. Nothing is compared at the "
       "first start.",
       "{name: edge, deny: [0.0.0.0/1]}", "{name: edge, deny: [192.0.2.0/24]}"},
      CheckSourcesAdmitted);
  rule.fleet = CheckNewlyDenied;
  return rule;
}

}  // namespace

std::span<const Rule> RuleTable() {
  static const auto* const table = new std::vector<Rule>{
      BackendShare(),      TableIntent(),    MinServing(), NMinus1(),         RemovedAtOnce(),
      Remapped(),          Weights(),        Duplicates(), Addresses(),       Reachability(),
      MassHealthFailure(), HealthRemovals(), StaleEtag(),  PaceOfChanges(),   LiveRemoval(),
      FreezeRule(),        TableSize(),      FleetShare(), SourceAccessRule()};
  return *table;
}

}  // namespace evenkeel::guard
