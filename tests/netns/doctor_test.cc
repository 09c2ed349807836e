// SPDX-License-Identifier: Apache-2.0
//
// What `evenkeel doctor` finds on a real host, each fault made by hand and mended by its remedy.
#include <regex>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

class DoctorTest : public LabTest {
 protected:
  // The command looks at the interfaces of its own namespace.
  CommandResult Doctor(const Argv& flags = {}) {
    Argv argv = {std::string(EK_BINARY_DIR) + "/bin/evenkeel", "doctor", "--socket",
                 lab().fact("socket")};
    argv.insert(argv.end(), flags.begin(), flags.end());
    return lab().RunIn("balancer", argv);
  }
  // The findings of a check, by subject.
  std::map<std::string, nlohmann::json> Of(const std::string& check, const Argv& flags = {}) {
    Argv argv = {"-o", "json"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    const CommandResult result = Doctor(argv);
    std::map<std::string, nlohmann::json> found;
    const nlohmann::json document = nlohmann::json::parse(result.out);
    for (const auto& finding : document.at("findings")) {
      if (finding.at("check") == check) found[finding.at("subject")] = finding;
    }
    return found;
  }
  static std::string Level(const std::map<std::string, nlohmann::json>& findings,
                           const std::string& subject) {
    const auto found = findings.find(subject);
    return found == findings.end() ? "" : found->second.at("level").get<std::string>();
  }
  void Run(const std::string& role, const Argv& argv) {
    const CommandResult result = lab().RunIn(role, argv);
    EXPECT_TRUE(result.ok()) << result;
  }
};

class EveryMethod : public DoctorTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(EveryMethod, WhoDoesNotTakePacketsForAVipIsNamed) {
  MakeLab({.config = State{.forwarding = GetParam(), .extra = {}}.ToYaml()});
  auto found = Of("decapsulation");
  ASSERT_EQ(Level(found, "four"), "ok") << Doctor();
  ASSERT_EQ(Level(found, "six"), "ok");
  EXPECT_EQ(found["four"].at("detail"), "4 servers take packets for its VIPs");
  EXPECT_TRUE(Of("decapsulation", {"--no-probe"}).empty());
  // Nothing of it is left behind.
  EXPECT_TRUE(Eventually(milliseconds(2000), [&] {
    return lab().RunIn("balancer", {"ip", "rule", "show", "priority", "150"}).out.empty() &&
           lab().RunIn("balancer", {"ip", "route", "show", "table", "151"}).out.empty();
  }));

  if (std::string(GetParam()) == "l2") {
    Run("b2", {"ip", "address", "del", "192.0.2.10/32", "dev", "lo"});
  } else {
    ASSERT_TRUE(lab().Decap("b2", {"--detach"}).ok());
  }
  const CommandResult doctor = Doctor();
  EXPECT_EQ(doctor.exit_code, 1) << doctor;
  found = Of("decapsulation");
  ASSERT_EQ(Level(found, "four/b2"), "fail") << doctor;
  EXPECT_NE(found["four/b2"].at("detail").get<std::string>().find(
                "answers at its own address but not through VIP 192.0.2.10"),
            std::string::npos)
      << found["four/b2"];
  EXPECT_EQ(found["four"].at("detail"), "3 servers take packets for its VIPs");

  if (std::string(GetParam()) == "l2") {
    Run("b2", {"ip", "address", "add", "192.0.2.10/32", "dev", "lo"});
  } else {
    ASSERT_TRUE(lab().Decap("b2", {}).ok());
  }
  EXPECT_EQ(Level(Of("decapsulation"), "four/b2"), "");
}

INSTANTIATE_TEST_SUITE_P(Forwarding, EveryMethod, ::testing::Values("ipip", "gue", "l2"),
                         [](const auto& method) { return std::string(method.param); });

TEST_F(DoctorTest, AServerThatIsGoneAnswersNeitherWay) {
  MakeLab({.config = State{}.ToYaml()});
  Run("b3", {"ip", "link", "set", "eth0", "down"});
  const auto found = Of("decapsulation");
  ASSERT_EQ(Level(found, "four/b3"), "fail") << Doctor();
  EXPECT_NE(found.at("four/b3").at("detail").get<std::string>().find("answers neither"),
            std::string::npos)
      << found.at("four/b3");
}

// Beside checks through VIPs, which go on.
TEST_F(DoctorTest, ChecksThroughVipsKeepTheirPaths) {
  const std::string yaml = std::regex_replace(
      State{}.ToYaml(), std::regex("  - name: four\n"),
      "$&    health_check: {type: tcp, interval: 300ms, timeout: 200ms, through: vip}\n");
  ASSERT_NE(yaml, State{}.ToYaml());
  MakeLab({.config = yaml});
  const auto health = [&](const char* name) {
    return FindBackend(lab().Status(), "four", name).value("health", "");
  };
  for (const char* name : {"b1", "b2", "b3", "b4"}) {
    EXPECT_TRUE(Eventually(milliseconds(10000), [&] { return health(name) == "up"; })) << name;
  }
  for (int i = 0; i < 3; ++i) {
    auto found = Of("decapsulation");
    EXPECT_EQ(Level(found, "four"), "ok");
    EXPECT_EQ(Level(found, "six"), "ok");
  }
  for (const char* name : {"b1", "b2", "b3", "b4"}) EXPECT_EQ(health(name), "up") << name;
  ASSERT_TRUE(lab().Decap("b2", {"--detach"}).ok());
  EXPECT_TRUE(Eventually(milliseconds(10000), [&] { return health("b2") == "down"; }));
  const auto found = Of("decapsulation");
  ASSERT_EQ(Level(found, "four/b2"), "fail") << Doctor();
  EXPECT_NE(found.at("four/b2").at("detail").get<std::string>().find("its health check says: "),
            std::string::npos)
      << found.at("four/b2");
}

TEST_F(DoctorTest, StrictFiltersAndNarrowLinksAreNamedWithTheirRemedies) {
  MakeLab({.config = State{}.ToYaml()});
  EXPECT_EQ(Level(Of("rp-filter"), "eth0"), "ok") << Doctor();
  EXPECT_NE(Of("driver")["eth0"].at("detail").get<std::string>().find("veth"), std::string::npos)
      << Of("driver")["eth0"];
  EXPECT_EQ(Level(Of("rss"), "eth0"), "ok") << "veth does not say";

  Run("balancer", {"sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter=1"});
  auto found = Of("rp-filter");
  ASSERT_EQ(Level(found, "eth0"), "warn") << Doctor();
  const auto servers = Of("decapsulation");
  EXPECT_EQ(Level(servers, "four"), "warn") << "by IPv4 nobody can be asked";
  EXPECT_EQ(Level(servers, "six/b1"), "") << "by IPv6 they can";
  // As it stands there.
  Run("balancer", {"sh", "-c", found["eth0"].at("remedy").get<std::string>()});
  EXPECT_EQ(Level(Of("rp-filter"), "eth0"), "ok");
  EXPECT_EQ(Level(Of("decapsulation"), "four"), "ok");

  const auto with_mtu = [&](const char* mtu) {
    Run("balancer", {"ip", "link", "set", "eth0", "mtu", mtu});
    return Level(Of("mtu", {"--no-probe"}), "eth0");
  };
  EXPECT_EQ(with_mtu("1540"), "ok") << Doctor();
  EXPECT_EQ(with_mtu("1539"), "warn");
  EXPECT_EQ(with_mtu("1319"), "fail");
}

}  // namespace
}  // namespace evenkeel::testing
