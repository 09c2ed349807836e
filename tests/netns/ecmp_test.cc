// SPDX-License-Identifier: Apache-2.0
//
// Two balancers behind a router that spreads over them: real BIRD on all three, BGP between them.
// A balancer that is withdrawn, or whose daemon dies, costs no connection.
#include <signal.h>

#include <set>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;
using Gateways = std::set<std::string>;

constexpr char kVip4[] = "192.0.2.10";
constexpr char kVip6[] = "2001:db8::10";
const Gateways kBoth4 = {"10.77.0.3", "10.77.0.4"};
const Gateways kBoth6 = {"fd77::3", "fd77::4"};
// BGP comes up in about two seconds, and a daemon's routes within a tick; a slow machine has more.
constexpr milliseconds kUp{30000};
constexpr milliseconds kWithdrawn{3000};

class EcmpTest : public LabTest {
 protected:
  void MakeEcmpLab() {
    State state;
    state.layout = "routed";  // its addresses
    MakeLab({.layout = "ecmp", .config = state.ToYaml()});
    const bool up = Eventually(kUp, [&] { return Hops(kVip4) == kBoth4 && Hops(kVip6) == kBoth6; });
    ASSERT_TRUE(up) << lab().RunIn("switch", {"ip", "route"}) << lab().DaemonLog();
  }

  // Where the router sends packets for an address: what its kernel has.
  Gateways Hops(const std::string& vip) {
    const bool six = vip.find(':') != std::string::npos;
    const CommandResult result =
        lab().RunIn("switch", {"ip", six ? "-6" : "-4", "-j", "route", "show", vip});
    Gateways hops;
    for (const auto& route : nlohmann::json::parse(result.out.empty() ? "[]" : result.out)) {
      if (route.contains("gateway")) hops.insert(route.at("gateway").get<std::string>());
      if (!route.contains("nexthops")) continue;
      for (const auto& hop : route.at("nexthops"))
        hops.insert(hop.at("gateway").get<std::string>());
    }
    return hops;
  }

  static nlohmann::json Parse(const CommandResult& result) {
    EXPECT_TRUE(result.ok()) << result;
    return nlohmann::json::parse(result.out);
  }
  nlohmann::json Status2() { return Parse(lab().Cli2({"status", "-o", "json"})); }
  // Packets of a VIP that a balancer forwarded.
  static uint64_t Packets(const nlohmann::json& status, const std::string& name) {
    for (const auto& vip : status.at("vips")) {
      if (vip.at("name") == name) return vip.at("counter").at("packets");
    }
    ADD_FAILURE() << "no VIP " << name;
    return 0;
  }
};

TEST_F(EcmpTest, WithdrawnUnderLoadItLosesNoConnection) {
  MakeEcmpLab();
  Load four(lab(), {.rate = 300, .connections = 200});
  Load six(lab(), {.address = kVip6, .rate = 150, .connections = 100});
  std::this_thread::sleep_for(milliseconds(1500));  // most are open, over both balancers
  EXPECT_GT(Packets(lab().Status(), "web"), 50u);
  EXPECT_GT(Packets(Status2(), "web"), 50u);
  EXPECT_GT(Packets(Status2(), "web6"), 50u);

  const CommandResult withdrawn =
      lab().Cli2({"withdraw", "--all", "--reason", "new kernel", "-o", "json"});
  EXPECT_TRUE(withdrawn.ok()) << withdrawn;
  EXPECT_TRUE(Eventually(kWithdrawn, [&] {
    return Hops(kVip4) == Gateways{"10.77.0.3"} && Hops(kVip6) == Gateways{"fd77::3"};
  }));
  // Nothing comes here any more, and the connections go on through the other one.
  std::this_thread::sleep_for(milliseconds(200));
  const uint64_t rest4 = Packets(Status2(), "web"), rest6 = Packets(Status2(), "web6");
  const uint64_t other = Packets(lab().Status(), "web");
  std::this_thread::sleep_for(milliseconds(2000));
  EXPECT_EQ(Packets(Status2(), "web"), rest4);
  EXPECT_EQ(Packets(Status2(), "web6"), rest6);
  EXPECT_GT(Packets(lab().Status(), "web"), other + 500);
  EXPECT_EQ(Status2().at("vips").at(0).at("advertised").at("state"), "withdrawn");

  // Back, also without a loss.
  EXPECT_TRUE(lab().Cli2({"announce", "--all"}).ok());
  EXPECT_TRUE(Eventually(kWithdrawn, [&] { return Hops(kVip4) == kBoth4; }));
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_GT(Packets(Status2(), "web"), rest4);
  for (Load* load : {&four, &six}) {
    const Load::Summary summary = load->Stop();
    ExpectNoneLost(summary);
    EXPECT_GT(summary.requests, 500u);
  }
}

// Who kills the daemon takes nothing from the routers: packets are forwarded without it.
TEST_F(EcmpTest, ADaemonThatDiesKeepsItsRoutesAndItsTraffic) {
  MakeEcmpLab();
  Load load(lab(), {.rate = 400, .connections = 200});
  std::this_thread::sleep_for(milliseconds(1000));
  const uint64_t before = Packets(lab().Status(), "web");
  lab().SignalDaemon(SIGKILL);
  ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(Hops(kVip4), kBoth4);
    std::this_thread::sleep_for(milliseconds(100));
  }
  ASSERT_TRUE(lab().StartDaemon().ok()) << lab().DaemonLog();
  EXPECT_GT(Packets(lab().Status(), "web"), before + 300) << "it was forwarded meanwhile";
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(Hops(kVip4), kBoth4);
    std::this_thread::sleep_for(milliseconds(100));
  }
  ExpectNoneLost(load.Stop());
  EXPECT_EQ(lab().Status().at("vips").at(0).at("advertised").at("state"), "yes");
}

// One VIP of an address alone takes nothing from the others.
TEST_F(EcmpTest, AnAddressIsAdvertisedWhileOneOfItsVipsIs) {
  MakeEcmpLab();
  const nlohmann::json first =
      Parse(lab().Cli2({"withdraw", "web", "--reason", "test", "-o", "json"}));
  EXPECT_EQ(first.at("vips").at(0).at("advertised").at("state"), "withdrawn");
  EXPECT_EQ(first.at("vips").at(0).at("advertised").at("routed"), true) << "for web46";
  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_EQ(Hops(kVip4), kBoth4);
  EXPECT_TRUE(lab().Cli2({"withdraw", kVip4, "--reason", "test"}).ok());
  EXPECT_TRUE(Eventually(kWithdrawn, [&] { return Hops(kVip4) == Gateways{"10.77.0.3"}; }));
  EXPECT_EQ(Hops(kVip6), kBoth6);
}

}  // namespace
}  // namespace evenkeel::testing
