// SPDX-License-Identifier: Apache-2.0
#include "control/neighbor/evaluate.h"

#include <gtest/gtest.h>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using neighbor::Evaluate;
using neighbor::Host;
using neighbor::Link;
using neighbor::Neighbor;
using neighbor::Resolution;
using neighbor::Route;

constexpr dataplane::MacAddress kOwn = {2, 0, 0, 0, 0, 1};
constexpr dataplane::MacAddress kPeer = {2, 0, 0, 0, 0, 2};

// eth0 (2) is fine, eth1 (3) is down, eth2 (4) lacks a carrier, tun0 (5) is not Ethernet.
Host MakeHost() {
  Host host;
  host.links[2] = {"eth0", kOwn, true, true, true, 1500};
  host.links[3] = {"eth1", kOwn, true, false, false, 1500};
  host.links[4] = {"eth2", kOwn, true, true, false, 1500};
  host.links[5] = {"tun0", {}, false, true, true, 1400};
  host.neighbors[{2, Ip("10.0.0.1")}] = {Neighbor::State::kUsable, kPeer, false};
  host.neighbors[{2, Ip("10.0.0.2")}] = {Neighbor::State::kFailed, {}, false};
  host.neighbors[{2, Ip("10.0.0.3")}] = {Neighbor::State::kPending, {}, false};
  return host;
}

Route Via(uint32_t ifindex, const char* gateway = nullptr, uint32_t mtu = 0) {
  Route route;
  route.kind = Route::Kind::kUnicast;
  route.ifindex = ifindex;
  if (gateway != nullptr) route.gateway = Ip(gateway);
  route.mtu = mtu;
  return route;
}

struct Case {
  const char* name;
  const char* address;
  Route route;
  const char* problem;
  bool pending;
  uint16_t mtu;
};

TEST(EvaluateTest, Table) {
  Route local;
  local.kind = Route::Kind::kLocal;
  const Case cases[] = {
      {"on-link", "10.0.0.1", Via(2), "", false, 1500},
      {"gateway", "192.0.2.1", Via(2, "10.0.0.1"), "", false, 1500},
      {"route-mtu", "192.0.2.1", Via(2, "10.0.0.1", 1400), "", false, 1400},
      {"route-mtu-above-the-links", "192.0.2.1", Via(2, "10.0.0.1", 9000), "", false, 1500},
      {"failed", "10.0.0.2", Via(2), "no answer from 10.0.0.2 on eth0", false, 0},
      {"gateway-failed", "192.0.2.1", Via(2, "10.0.0.2"), "no answer from gateway 10.0.0.2 on eth0",
       false, 0},
      {"pending", "10.0.0.3", Via(2), "no answer yet from 10.0.0.3 on eth0", true, 0},
      {"unknown-neighbour", "10.0.0.4", Via(2), "no answer yet from 10.0.0.4 on eth0", true, 0},
      {"no-route", "10.0.0.1", Route{}, "no route to 10.0.0.1", false, 0},
      {"local", "10.0.0.9", local, "10.0.0.9 is an address of this host", false, 0},
      {"link-down", "10.1.0.1", Via(3), "interface eth1 is down", false, 0},
      {"no-carrier", "10.2.0.1", Via(4), "interface eth2 is down (no carrier)", false, 0},
      {"not-ethernet", "10.3.0.1", Via(5),
       "10.3.0.1 is reached through tun0, which is not an Ethernet interface", false, 0},
      {"link-gone", "10.3.0.1", Via(9), "no route to 10.3.0.1: interface 9 is gone", false, 0},
  };
  const Host host = MakeHost();
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto result = Evaluate(Ip(one.address), one.route, host, nullptr);
    EXPECT_EQ(result.resolution.problem, one.problem);
    EXPECT_EQ(result.pending, one.pending);
    EXPECT_EQ(result.resolution.next_hop.has_value(), one.mtu != 0);
    EXPECT_EQ(result.resolution.gateway, one.route.gateway);
    if (!result.resolution.next_hop) continue;
    EXPECT_EQ(result.resolution.next_hop->dmac, kPeer);
    EXPECT_EQ(result.resolution.next_hop->smac, kOwn);
    EXPECT_EQ(result.resolution.next_hop->mtu, one.mtu);
  }
}

TEST(EvaluateTest, WhatWasKnownBridgesTheWaitForANewNextHop) {
  Host host = MakeHost();
  const Resolution before = Evaluate(Ip("192.0.2.1"), Via(2, "10.0.0.1"), host, nullptr).resolution;
  auto now = Evaluate(Ip("192.0.2.1"), Via(2, "10.0.0.3"), host, &before);
  EXPECT_TRUE(now.pending);
  EXPECT_EQ(now.resolution.next_hop, before.next_hop);
  host.neighbors[{2, Ip("10.0.0.3")}].state = Neighbor::State::kFailed;
  now = Evaluate(Ip("192.0.2.1"), Via(2, "10.0.0.3"), host, &before);
  EXPECT_FALSE(now.resolution.next_hop) << "a definite failure ends it";
  host.neighbors.clear();
  host.links[2].carrier = false;
  now = Evaluate(Ip("192.0.2.1"), Via(4, "10.0.0.3"), host, &before);
  EXPECT_FALSE(now.resolution.next_hop) << "so does the interface";
}

TEST(EvaluateTest, ARouteLostWithItsInterfaceNamesTheInterface) {
  Host host = MakeHost();
  const Resolution before = Evaluate(Ip("10.0.0.1"), Via(2), host, nullptr).resolution;
  host.links[2].up = host.links[2].carrier = false;
  auto now = Evaluate(Ip("10.0.0.1"), Route{}, host, &before);
  EXPECT_EQ(now.resolution.problem, "no route to 10.0.0.1: interface eth0 is down");
  const Resolution again = now.resolution;
  now = Evaluate(Ip("10.0.0.1"), Route{}, host, &again);
  EXPECT_EQ(now.resolution.problem, again.problem) << "also when asked again";
}

}  // namespace
}  // namespace evenkeel::testing
