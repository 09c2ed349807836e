// SPDX-License-Identifier: Apache-2.0
//
// Updates under load: the one of the outage is refused and no client notices; a good one moves the
// traffic.
#include <signal.h>

#include <set>
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

class UpdateTest : public LabTest {
 protected:
  static std::set<std::string> BlockedRules(const CommandResult& result) {
    std::set<std::string> rules;
    const nlohmann::json answer = nlohmann::json::parse(result.out);
    for (const auto& violation : answer.at("violations")) {
      if (violation.at("severity") == "block") rules.insert(violation.at("rule"));
    }
    return rules;
  }
};

TEST_F(UpdateTest, OutageIsRefusedUnderLoad) {
  MakeLab({.config = State{}.ToYaml()});
  const nlohmann::json before = lab().Status();
  Load load(lab(), {.rate = 500});
  std::this_thread::sleep_for(milliseconds(1000));

  State outage;
  outage.backends = 1;
  const CommandResult result = lab().Apply(outage.ToYaml());
  EXPECT_EQ(result.exit_code, 3) << result;
  const std::set<std::string> rules = BlockedRules(result);
  EXPECT_TRUE(rules.contains("LB001") && rules.contains("LB003")) << result;
  EXPECT_TRUE(rules.contains("LB005")) << result;

  std::this_thread::sleep_for(milliseconds(1500));
  const Load::Summary summary = load.Stop();
  ExpectNoneLost(summary);
  for (const char* name : {"b1", "b2", "b3", "b4"}) EXPECT_NEAR(summary.Share(name), 0.25, 0.06);
  const nlohmann::json after = lab().Status();
  EXPECT_EQ(after.at("kernel_digest"), before.at("kernel_digest"));
  EXPECT_EQ(after.at("applied").at("revision"), before.at("applied").at("revision"));
  EXPECT_TRUE(after.at("digest_matches"));
}

TEST_F(UpdateTest, DrainMovesTrafficUnderLoad) {
  MakeLab({.config = State{}.ToYaml()});
  const uint64_t revision = lab().Status().at("applied").at("revision");
  Load load(lab(), {.rate = 500});
  std::this_thread::sleep_for(milliseconds(500));

  State drained;
  drained.extra[4] = "state: draining";
  const CommandResult result = lab().Apply(drained.ToYaml());
  EXPECT_EQ(result.exit_code, 0) << result;
  std::this_thread::sleep_for(milliseconds(500));
  ExpectNoneLost(load.Stop());  // also what was under way while its slot moved

  const Load::Summary after = Load(lab(), {.rate = 500, .seconds = 2}).Wait();
  ExpectNoneLost(after);
  EXPECT_EQ(after.backends.count("b4"), 0u);
  for (const char* name : {"b1", "b2", "b3"}) EXPECT_NEAR(after.Share(name), 1.0 / 3, 0.07);
  const nlohmann::json status = lab().Status();
  EXPECT_GT(status.at("applied").at("revision"), revision);
  EXPECT_EQ(FindBackend(status, "four", "b4").at("share"), 0);
  EXPECT_TRUE(status.at("digest_matches"));
}

// Every swap is atomic: however fast they follow each other, no packet finds a half-made table.
TEST_F(UpdateTest, ManyUpdatesUnderLoadLoseNothing) {
  MakeLab({.config = State{}.ToYaml()});
  Load load(lab(), {.rate = 500});
  State lighter;
  lighter.extra[4] = "weight: 90";
  constexpr int kUpdates = 20;
  for (int i = 0; i < kUpdates; ++i) {
    const CommandResult result = lab().Apply((i % 2 == 0 ? lighter : State{}).ToYaml());
    ASSERT_EQ(result.exit_code, 0) << result;
  }
  ExpectNoneLost(load.Stop());
  const nlohmann::json status = lab().Status();
  EXPECT_TRUE(status.at("digest_matches"));
  for (const auto& [verdict, packets] : status.at("verdicts").items()) {
    if (verdict.starts_with("drop_")) {
      EXPECT_EQ(packets, 0) << verdict;
    }
  }
}

// Hundreds of connections stay with their servers through a hundred changes of the table: drains,
// weights, and back. A connection that reached another server would be reset by it.
TEST_F(UpdateTest, ConnectionsStayThroughAHundredUpdates) {
  MakeLab({.config = State{}.ToYaml()});
  Load load(lab(), {.rate = 600, .connections = 400});
  std::this_thread::sleep_for(milliseconds(1000));  // most are open before the first update
  for (int i = 0; i < 100; ++i) {
    State next;
    next.extra[1 + i % 4] = i % 3 == 0   ? "state: draining"
                            : i % 3 == 1 ? "weight: 60"
                                         : "weight: 140";
    const CommandResult result = lab().Apply((i % 2 == 0 ? next : State{}).ToYaml());
    ASSERT_EQ(result.exit_code, 0) << result;
    if (i == 60) {  // pins outlive the daemon
      lab().SignalDaemon(SIGKILL);
      ASSERT_TRUE(lab().WaitDaemonGone(milliseconds(5000)));
      ASSERT_EQ(lab().StartDaemon().exit_code, 0);
    }
  }
  const nlohmann::json status = lab().Status();
  EXPECT_GT(status.at("pools").at(0).at("moving_slots"), 0);
  std::this_thread::sleep_for(milliseconds(1000));  // each is used once more
  const Load::Summary summary = load.Stop();
  ExpectNoneLost(summary);
  EXPECT_GT(summary.requests, 1000u);
}

// The person on call shuts a client's network out and lets it in again, while others go on.
TEST_F(UpdateTest, SourceRulesShutANetworkOutAndLetItIn) {
  const std::string open = State{}.ToYaml();
  MakeLab({.config = open});
  const auto curl = [&](const char* url) {
    return lab().RunIn("client",
                       {"curl", "-sS", "--fail", "--max-time", "2", "-o", "/dev/null", url});
  };
  const auto dropped = [&] { return lab().Status().at("verdicts").value("drop_source", 0u); };
  Load others(lab(), {.address = "2001:db8::10", .rate = 300});
  ASSERT_TRUE(curl("http://192.0.2.10").ok());
  EXPECT_EQ(dropped(), 0u);

  WriteFile(lab().file("blocked.txt"),
            "# from the abuse desk\n203.0.113.0/24\n2001:db8:bad::/48\n10.77.0.2 # the client\n");
  const CommandResult shut =
      lab().Apply(open + "source_rules:\n  - {name: edge, deny_file: " + lab().file("blocked.txt") +
                  "}\nglobal_source_rules: edge\n");
  ASSERT_TRUE(shut.ok()) << shut;
  const CommandResult refused = curl("http://192.0.2.10");
  EXPECT_EQ(refused.exit_code, 28) << "times out: " << refused;
  EXPECT_GT(dropped(), 0u);
  EXPECT_TRUE(curl("http://[2001:db8::10]").ok());
  const nlohmann::json status = lab().Status();
  EXPECT_TRUE(status.at("digest_matches"));
  EXPECT_EQ(status.at("source_rules").at(0).at("denied_prefixes"), 3);

  const CommandResult undone = lab().Apply(open);
  ASSERT_TRUE(undone.ok()) << undone;
  EXPECT_TRUE(curl("http://192.0.2.10").ok());
  ExpectNoneLost(others.Stop());
}

// A VIP that takes one new connection a second: what stands goes on, and other VIPs do not notice.
TEST_F(UpdateTest, LimitOfNewFlowsSparesConnectionsThatStand) {
  const std::string open = State{}.ToYaml();
  std::string limited = open;
  const std::string pool = ", pool: four}";
  limited.replace(limited.find(pool), pool.size(),
                  ", pool: four, limits: {new_flows: {rate: 1, burst: 1}}}");
  MakeLab({.config = open});
  // How many of three new connections come about without a repeated SYN.
  const auto connect = [&](const char* url) {
    int connected = 0;
    for (int i = 0; i < 3; ++i) {
      connected += lab()
                       .RunIn("client", {"curl", "-sS", "--fail", "--max-time", "0.7", "-o",
                                         "/dev/null", url})
                       .ok();
    }
    return connected;
  };
  const auto dropped = [&] {
    return lab().Status().at("verdicts").value("drop_new_flow_limit", 0u);
  };
  Load standing(lab(), {.rate = 200, .connections = 40});
  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_EQ(connect("http://192.0.2.10"), 3);
  EXPECT_EQ(dropped(), 0u);

  const CommandResult result = lab().Apply(limited);
  ASSERT_TRUE(result.ok()) << result;
  const uint32_t before = dropped();
  EXPECT_LT(connect("http://192.0.2.10"), 3);
  EXPECT_GT(dropped(), before);
  EXPECT_EQ(connect("http://[2001:db8::10]"), 3);
  std::this_thread::sleep_for(milliseconds(500));
  ExpectNoneLost(standing.Stop());

  const CommandResult undone = lab().Apply(open);
  ASSERT_TRUE(undone.ok()) << undone;
  EXPECT_EQ(connect("http://192.0.2.10"), 3);
}

}  // namespace
}  // namespace evenkeel::testing
