// SPDX-License-Identifier: Apache-2.0
//
// Health checks through VIPs, from the daemon to nginx: what a check of the server's own address
// does not see is found, by every encapsulation, and nothing else is.
#include <signal.h>

#include <regex>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

std::string WithCheck(const State& state, const std::string& check) {
  return std::regex_replace(state.ToYaml(), std::regex("    backends:\n"),
                            "    health_check: " + check + "\n$&");
}

class VipProbeTest : public LabTest {
 protected:
  nlohmann::json Backend(const std::string& pool, const std::string& name) {
    return FindBackend(lab().Status(), pool, name);
  }
  bool Becomes(const std::string& pool, const std::string& name, const std::string& health) {
    return Eventually(milliseconds(20000),
                      [&] { return Backend(pool, name).value("health", "") == health; });
  }
  void ExpectAllUp() {
    for (const char* pool : {"four", "six"}) {
      for (const char* name : {"b1", "b2", "b3", "b4"}) {
        EXPECT_TRUE(Becomes(pool, name, "up")) << pool << " " << lab().Status().dump(1);
      }
    }
  }
  std::string Cause(const std::string& pool, const std::string& name) {
    return Backend(pool, name).value("health_cause", "");
  }
  void Run(const std::string& role, const Argv& argv) {
    const CommandResult result = lab().RunIn(role, argv);
    EXPECT_TRUE(result.ok()) << result;
  }
  void StopDecap(const std::string& role) { EXPECT_TRUE(lab().Decap(role, {"--detach"}).ok()); }
  void StartDecap(const std::string& role) { EXPECT_TRUE(lab().Decap(role, {}).ok()); }
};

constexpr char kThrough[] =
    "{type: http, path: /, interval: 300ms, timeout: 200ms, rise: 2, fall: 3, through: vip}";

class EveryMethod : public VipProbeTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(EveryMethod, FindsAVipThatIsNotOnLoopback) {
  MakeLab({.config = WithCheck({.forwarding = GetParam(), .extra = {}}, kThrough)});
  ExpectAllUp();
  Run("b2", {"ip", "address", "del", "192.0.2.10/32", "dev", "lo"});
  ASSERT_TRUE(Becomes("four", "b2", "down")) << lab().Status().dump(1);
  EXPECT_NE(Cause("four", "b2").find("through VIP 192.0.2.10: "), std::string::npos)
      << Cause("four", "b2");
  EXPECT_EQ(Backend("four", "b3").value("health", ""), "up");
  if (std::string(GetParam()) == "l2") {
    EXPECT_EQ(Backend("six", "b2").value("health", ""), "up") << "its VIP is there";
  } else {
    ASSERT_TRUE(Becomes("six", "b2", "down")) << "192.0.2.10:8080 leads to that pool, too";
  }
  Run("b2", {"ip", "address", "add", "192.0.2.10/32", "dev", "lo"});
  EXPECT_TRUE(Becomes("four", "b2", "up")) << lab().Status().dump(1);
}

INSTANTIATE_TEST_SUITE_P(Forwarding, EveryMethod, ::testing::Values("ipip", "gue", "l2"),
                         [](const auto& method) { return std::string(method.param); });

TEST_F(VipProbeTest, FindsAMissingDecapsulationThatTheServersAddressDoesNotShow) {
  MakeLab({.config = WithCheck({}, kThrough)});
  ExpectAllUp();
  StopDecap("b3");
  for (const char* pool : {"four", "six"}) {
    ASSERT_TRUE(Becomes(pool, "b3", "down")) << pool << lab().Status().dump(1);
    EXPECT_NE(Cause(pool, "b3").find("through VIP "), std::string::npos) << Cause(pool, "b3");
  }
  // By their own addresses all of them answer.
  ASSERT_TRUE(
      lab().Apply(WithCheck({}, std::regex_replace(kThrough, std::regex("vip"), "direct"))).ok());
  ExpectAllUp();
  EXPECT_EQ(lab().RunIn("balancer", {"ip", "rule", "show", "priority", "150"}).out, "")
      << "nobody needs it any more";
  ASSERT_TRUE(lab().Apply(WithCheck({}, kThrough)).ok());
  ASSERT_TRUE(Becomes("four", "b3", "down"));
  StartDecap("b3");
  ExpectAllUp();
}

TEST_F(VipProbeTest, EveryTypeGoesThroughTheVip) {
  MakeLab({.config = WithCheck({}, "{type: tcp, interval: 300ms, timeout: 200ms, through: vip}")});
  ExpectAllUp();
  ASSERT_TRUE(
      lab()
          .Apply(WithCheck({}, "{type: icmp, interval: 300ms, timeout: 200ms, through: vip}"))
          .ok());
  ExpectAllUp();
  Run("b1", {"ip", "address", "del", "192.0.2.10/32", "dev", "lo"});
  ASSERT_TRUE(Becomes("four", "b1", "down")) << lab().Status().dump(1);
  EXPECT_EQ(Cause("four", "b1"),
            "3 probes failed: through VIP 192.0.2.10: no echo reply within 200ms");
  Run("b1", {"ip", "address", "add", "192.0.2.10/32", "dev", "lo"});
  ASSERT_TRUE(Becomes("four", "b1", "up"));
}

TEST_F(VipProbeTest, AnswersThatThisHostDropsSayNothingAboutServers) {
  MakeLab({.config = WithCheck({}, kThrough)});
  ExpectAllUp();
  // Who was found out is not let back in by it.
  StopDecap("b3");
  const auto out = [&] { return Backend("four", "b3").value("admitted", 1.0) == 0; };
  ASSERT_TRUE(Eventually(milliseconds(20000), out)) << lab().Status().dump(1);
  // There is no route to 192.0.2.10 here, so that a strict host drops what comes from it.
  Run("balancer", {"sysctl", "-q", "-w", "net.ipv4.conf.eth0.rp_filter=1"});
  const auto noticed = [&] {
    return lab().Status().dump().find("answers from 192.0.2.10 by eth0 are dropped") !=
           std::string::npos;
  };
  EXPECT_TRUE(Eventually(milliseconds(25000), noticed)) << lab().Status().dump(1);
  std::this_thread::sleep_for(milliseconds(2000));  // forty decisions
  EXPECT_TRUE(out()) << lab().Status().dump(1);
  EXPECT_EQ(Backend("four", "b3").value("health", ""), "down");
  for (const char* name : {"b1", "b2", "b4"}) {
    EXPECT_EQ(Backend("four", name).value("admitted", 0.0), 1) << name;
  }
  // Nor by a restart.
  lab().SignalDaemon(SIGKILL);
  ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
  ASSERT_EQ(lab().StartDaemon().exit_code, 0);
  ASSERT_TRUE(Eventually(milliseconds(5000), noticed)) << lab().Status().dump(1);
  std::this_thread::sleep_for(milliseconds(2000));
  EXPECT_TRUE(out()) << lab().Status().dump(1);
  StartDecap("b3");
  Run("balancer", {"sysctl", "-q", "-w", "net.ipv4.conf.eth0.rp_filter=0"});
  EXPECT_TRUE(Eventually(milliseconds(25000), [&] { return !noticed(); }));
  ExpectAllUp();
}

TEST_F(VipProbeTest, RuleAndRouteGoWithTheDaemonAndReturnWithIt) {
  MakeLab({.config = WithCheck({}, kThrough)});
  ExpectAllUp();
  const auto rules = [&](const char* family) {
    return lab().RunIn("balancer", {"ip", family, "rule", "show", "priority", "150"}).out;
  };
  EXPECT_NE(rules("-4").find("fwmark 0x454b0000/0xffff0000 lookup 151"), std::string::npos);
  EXPECT_NE(rules("-6").find("fwmark 0x454b0000/0xffff0000 lookup 151"), std::string::npos);
  // Somebody's cleaning up is made good.
  Run("balancer", {"ip", "-4", "rule", "del", "priority", "150"});
  EXPECT_TRUE(Eventually(milliseconds(5000), [&] { return rules("-4") != ""; }));
  lab().SignalDaemon(SIGKILL);
  ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
  ASSERT_EQ(lab().StartDaemon().exit_code, 0);
  ExpectAllUp();
  lab().SignalDaemon(SIGTERM);
  ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
  EXPECT_EQ(rules("-4"), "");
  EXPECT_EQ(rules("-6"), "");
  EXPECT_EQ(lab().RunIn("balancer", {"ip", "route", "show", "table", "151"}).out, "");
}

// The errors come to the outer headers' sources: here a range that leads to this balancer.
class PassiveTest : public VipProbeTest {
 protected:
  void MakePassiveLab(const std::string& check) {
    MakeLab({.config = WithCheck({}, check)});
    // The range is part of the data plane: it is made anew.
    for (const Argv& flags : {Argv{"--detach-on-exit"}, Argv{"--settings", Settings()}}) {
      lab().SignalDaemon(SIGTERM);
      ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
      const CommandResult started = lab().StartDaemon(flags);
      ASSERT_EQ(started.exit_code, 0) << started;
    }
    for (const char* role : {"b1", "b2", "b3", "b4"}) {
      Run(role, {"ip", "route", "add", "10.78.0.0/16", "via", "10.77.0.3"});
    }
    ExpectAllUp();
  }
  std::string Settings() {
    const std::string path = lab().file("settings.yaml");
    WriteFile(path, "source_prefix4: 10.78.0.0/16\n");
    return path;
  }
};

TEST_F(PassiveTest, PacketsThatComeBackTakeTheServerOut) {
  MakePassiveLab("{type: tcp, interval: 300ms, timeout: 200ms, passive: {}}");
  Load load(lab(), {.rate = 300});
  StopDecap("b3");
  ASSERT_TRUE(Becomes("four", "b3", "down")) << lab().Status().dump(1);
  const std::string cause = Cause("four", "b3");
  EXPECT_NE(cause.find("its packets come back: protocol unreachable from 10.77.0.13, "),
            std::string::npos)
      << cause;
  EXPECT_EQ(Backend("six", "b3").value("health", ""), "up") << "nobody sends packets there";
  for (const char* name : {"b1", "b2", "b4"}) {
    EXPECT_EQ(Backend("four", name).value("health", ""), "up") << name;
  }
  ASSERT_TRUE(Eventually(milliseconds(5000),
                         [&] { return Backend("four", "b3").value("admitted", 1.0) == 0; }));
  StartDecap("b3");
  EXPECT_TRUE(Becomes("four", "b3", "up")) << "its probes succeed, and nothing comes back";
  const Load::Summary summary = load.Stop();
  EXPECT_GT(summary.requests, 1000u);
}

TEST_F(PassiveTest, ForgedErrorsDoNot) {
  MakePassiveLab("{type: tcp, interval: 300ms, timeout: 200ms, passive: {}}");
  Load load(lab(), {.rate = 100});
  // Flows as clients have them, quoted with one outer source after the other: who does not see the
  // packets has to guess it.
  WriteFile(lab().file("forge.py"), R"(
import socket, struct, time
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
def ip(src, dst, proto, body):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(body), 0, 0x4000, 64, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + body
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
end = time.time() + 6
n = 0
while time.time() < end:
    tcp = struct.pack('!HHIIBBHHH', 20000 + n % 3000, 80, 1, 1, 0x50, 0x10, 100, 0, 0)
    outer = ip('10.78.%d.%d' % (n * 7 // 256 % 256, n * 7 % 256), '10.77.0.12', 4, ip('10.77.0.2', '192.0.2.10', 6, tcp))
    icmp = struct.pack('!BBHI', 3, 2, 0, 0) + outer
    icmp = icmp[:2] + struct.pack('!H', checksum(icmp)) + icmp[4:]
    s.sendto(ip('10.77.0.12', '10.77.0.3', 1, icmp), ('10.77.0.3', 0))
    n += 1
    if n % 20 == 0: time.sleep(0.01)
print(n)
)");
  const CommandResult forged = lab().RunIn("client", {"python3", lab().file("forge.py")});
  ASSERT_TRUE(forged.ok()) << forged;
  EXPECT_GT(std::stoi(forged.out), 3000);
  EXPECT_EQ(Backend("four", "b2").value("health", ""), "up") << lab().Status().dump(1);
  ExpectNoneLost(load.Stop());
}

}  // namespace
}  // namespace evenkeel::testing
