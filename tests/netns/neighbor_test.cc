// SPDX-License-Identifier: Apache-2.0
//
// The network around the balancer changes: MAC addresses, links, hosts that are not there.
#include <thread>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFollowed{15'000};

class NeighborTest : public LabTest {
 protected:
  // A short burst in which nothing is lost.
  bool ServiceIsWhole() {
    const Load::Summary summary = Load(lab(), {.rate = 400, .seconds = 0.5}).Wait();
    return summary.requests > 100 && summary.failed == 0;
  }

  std::string ProblemOf(const std::string& pool, const std::string& backend) {
    return FindBackend(lab().Status(), pool, backend).at("problem");
  }

  void Link(const std::string& role, const Argv& change) {
    Argv argv = {"ip", "link", "set", "dev", "eth0"};
    argv.insert(argv.end(), change.begin(), change.end());
    const CommandResult result = lab().RunIn(role, argv);
    ASSERT_TRUE(result.ok()) << result;
  }
};

struct MacChange {
  std::string name;
  std::string forwarding;

  friend std::ostream& operator<<(std::ostream& out, const MacChange& v) { return out << v.name; }
};
class MacChangeTest : public NeighborTest, public ::testing::WithParamInterface<MacChange> {};

TEST_P(MacChangeTest, IsFollowed) {
  State state;
  state.forwarding = GetParam().forwarding;
  MakeLab({.config = state.ToYaml(), .decap = GetParam().forwarding == "ipip"});
  ASSERT_TRUE(ServiceIsWhole());
  // As a host that took over an address does: announce it.
  ASSERT_TRUE(lab().RunIn("b2", {"sysctl", "-qw", "net.ipv4.conf.all.arp_notify=1"}).ok());
  Link("b2", {"address", "02:00:00:00:be:ef"});
  EXPECT_TRUE(Eventually(kFollowed, [&] { return ServiceIsWhole(); }));
  const Load::Summary summary = Load(lab(), {.rate = 400, .seconds = 2}).Wait();
  ExpectNoneLost(summary);
  EXPECT_NEAR(summary.Share("b2"), 0.25, 0.07);
}

const MacChange kChanges[] = {{"ipip", "ipip"}, {"l2", "l2"}};
INSTANTIATE_TEST_SUITE_P(Forwarding, MacChangeTest, ::testing::ValuesIn(kChanges),
                         [](const auto& test) { return test.param.name; });

TEST_F(NeighborTest, BackendLinkDownAndUp) {
  MakeLab({.config = State{}.ToYaml()});
  ASSERT_TRUE(ServiceIsWhole());
  Link("b3", {"down"});
  EXPECT_FALSE(ServiceIsWhole());
  Link("b3", {"up"});
  EXPECT_TRUE(Eventually(kFollowed, [&] { return ServiceIsWhole(); }));
  const Load::Summary summary = Load(lab(), {.rate = 400, .seconds = 2}).Wait();
  ExpectNoneLost(summary);
  EXPECT_NEAR(summary.Share("b3"), 0.25, 0.07);
}

TEST_F(NeighborTest, BalancerLinkDownAndUp) {
  MakeLab({.config = State{}.ToYaml()});
  ASSERT_TRUE(ServiceIsWhole());
  Link("balancer", {"down"});
  EXPECT_TRUE(Eventually(kFollowed, [&] { return !ProblemOf("four", "b1").empty(); }))
      << lab().Cli({"status"}).out;
  Link("balancer", {"up"});
  EXPECT_TRUE(Eventually(kFollowed, [&] { return ServiceIsWhole(); })) << lab().Cli({"status"}).out;
  EXPECT_EQ(ProblemOf("four", "b1"), "");
  EXPECT_TRUE(lab().Status().at("digest_matches"));
}

TEST_F(NeighborTest, UnreachableBackendIsNamed) {
  State state;
  state.backends = 5;  // the lab has four: nobody answers for the fifth
  MakeLab({.config = state.ToYaml()});
  EXPECT_TRUE(Eventually(kFollowed, [&] { return !ProblemOf("four", "b5").empty(); }));
  EXPECT_NE(ProblemOf("four", "b5").find("10.77.0.15"), std::string::npos)
      << ProblemOf("four", "b5");
  EXPECT_NE(ProblemOf("six", "b5").find("fd77::15"), std::string::npos) << ProblemOf("six", "b5");
  EXPECT_EQ(ProblemOf("four", "b1"), "");
  // What goes to it is dropped and counted under its reason; the others are not disturbed.
  const Load::Summary summary = Load(lab(), {.rate = 50, .seconds = 2, .workers = 64}).Wait();
  for (const char* name : {"b1", "b2", "b3", "b4"}) EXPECT_GT(summary.backends.count(name), 0u);
  EXPECT_GT(summary.failed, 0u);
  EXPECT_GT(lab().Status().at("verdicts").at("drop_no_nexthop"), 0);

  // The same update without it is accepted, and then nothing is lost.
  const CommandResult result = lab().Apply(State{}.ToYaml());
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_TRUE(ServiceIsWhole());
}

}  // namespace
}  // namespace evenkeel::testing
