// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/probe_plan.h"

#include <gmock/gmock.h>

#include "control/daemon/vip_path.h"
#include "control/health/monitor.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::daemon {
namespace {

using model::HealthCheck;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Ip;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ProbePlanTest : public ::testing::Test {
 protected:
  ProbePlanTest() {
    config_.pools = {testing::MakePool("web", 1, {1, 2})};
    config_.pools[0].health_check.emplace();
    config_.vips = {testing::MakeVip("web", "192.0.2.10", 80, "web"),
                    testing::MakeVip("tls", "192.0.2.11", 443, "web")};
    host_.mark = [this](const std::string&, const model::IpAddress& server) {
      return has_path_ ? std::optional<uint32_t>(server.bytes()[3]) : std::nullopt;
    };
    host_.fault = [this](const model::IpAddress& vip, const model::IpAddress&) {
      return vip == faulty_ ? "it is broken" : "";
    };
  }
  HealthCheck& check() { return *config_.pools[0].health_check; }
  ProbePlan Plan() { return PlanProbes(config_, host_); }

  model::Config config_;
  ProbeHost host_;
  bool has_path_ = true;
  std::optional<model::IpAddress> faulty_;
};

TEST_F(ProbePlanTest, DirectlyEachServerOnce) {
  config_.pools[0].backends.push_back(config_.pools[0].backends[0]);  // another name
  config_.pools[0].backends.back().name = "again";
  const ProbePlan plan = Plan();
  ASSERT_THAT(plan.targets, SizeIs(2));
  EXPECT_EQ(plan.targets[0].port, 80);
  EXPECT_FALSE(plan.targets[0].via);
  EXPECT_THAT(plan.witnesses.begin()->second, ElementsAre(""));
  EXPECT_THAT(plan.notices, IsEmpty());
}

TEST_F(ProbePlanTest, ThroughEachVipWithTheServersMark) {
  check().through = HealthCheck::Through::kVip;
  check().passive.emplace();
  const ProbePlan plan = Plan();
  ASSERT_THAT(plan.targets, SizeIs(4));
  EXPECT_EQ(plan.targets[0].via->vip, Ip("192.0.2.10"));
  EXPECT_EQ(plan.targets[1].via->vip, Ip("192.0.2.11"));
  EXPECT_EQ(plan.targets[1].port, 443);
  for (const probe::Target& target : plan.targets) {
    EXPECT_EQ(target.via->mark, target.address.bytes()[3]);
    const auto& witnesses = plan.witnesses.at({"web", target.address});
    EXPECT_TRUE(witnesses.contains(WitnessOf(target)));
    EXPECT_TRUE(witnesses.contains(kPassiveWitness));
    EXPECT_THAT(witnesses, SizeIs(3));
  }
  EXPECT_THAT(ServersBehindVips(config_.pools[0]), SizeIs(2));
}

TEST_F(ProbePlanTest, NobodyWaitsForAnswersThatCannotCome) {
  check().through = HealthCheck::Through::kVip;
  faulty_ = Ip("192.0.2.11");
  ProbePlan plan = Plan();
  EXPECT_THAT(plan.targets, SizeIs(2));
  EXPECT_THAT(plan.notices, ElementsAre(HasSubstr("not probed through every VIP: it is broken")));
  EXPECT_THAT(plan.unprobed, IsEmpty());
  has_path_ = false;
  plan = Plan();
  EXPECT_THAT(plan.targets, IsEmpty());
  EXPECT_THAT(plan.witnesses, IsEmpty());
  EXPECT_THAT(plan.unprobed, IsEmpty());
  EXPECT_THAT(plan.blind, ElementsAre("web"));
  EXPECT_THAT(plan.notices, UnorderedElementsAre(HasSubstr("cannot be probed through its VIPs"),
                                                 HasSubstr("who is out stays out")));
}

// Pools that have nothing to ask are like those without a check; of those that cannot be asked now,
// what is known stays.
TEST_F(ProbePlanTest, HealthKeepsWhatItKnowsOfPoolsThatCannotBeAsked) {
  check().through = HealthCheck::Through::kVip;
  check().start = HealthCheck::Start::kDown;
  ASSERT_TRUE(WatchedConfig(config_, Plan()).pools[0].health_check);
  EXPECT_EQ(WatchedConfig(config_, Plan()).pools[0].health_check->start, HealthCheck::Start::kDown);
  has_path_ = false;
  ASSERT_TRUE(WatchedConfig(config_, Plan()).pools[0].health_check);
  EXPECT_EQ(WatchedConfig(config_, Plan()).pools[0].health_check->start, HealthCheck::Start::kUp)
      << "nobody waits for answers that do not come";
  config_.vips.clear();
  EXPECT_FALSE(WatchedConfig(config_, Plan()).pools[0].health_check);
}

// The monitor, told that a pool cannot be asked, goes on with what it decided.
TEST_F(ProbePlanTest, WhoIsOutStaysOutWhileNobodyCanBeAsked) {
  config_.pools = {testing::MakePool("web", 1, {1, 2, 3, 4, 5})};
  config_.pools[0].health_check.emplace().through = HealthCheck::Through::kVip;
  const model::IpAddress dead = config_.pools[0].backends[1].address;
  health::Monitor monitor;
  int64_t now_ns = 1;
  const auto decide = [&] {
    now_ns += 1'000'000'000;
    return monitor.Decide({.steady_ns = now_ns, .unix_ns = now_ns}).FindPool("web")->out;
  };
  monitor.Configure(WatchedConfig(config_, Plan()), {.steady_ns = now_ns, .unix_ns = now_ns});
  for (int i = 0; i < 3; ++i) {
    for (const model::Backend& backend : config_.pools[0].backends) {
      monitor.Note("web", backend.address, {.ok = backend.address != dead, .cause = "no answer"},
                   {.steady_ns = now_ns, .unix_ns = now_ns});
    }
  }
  ASSERT_THAT(decide(), ElementsAre(dead));
  has_path_ = false;
  monitor.Configure(WatchedConfig(config_, Plan()), {.steady_ns = now_ns, .unix_ns = now_ns});
  for (int i = 0; i < 600; ++i) ASSERT_THAT(decide(), ElementsAre(dead)) << i;
  has_path_ = true;
  monitor.Configure(WatchedConfig(config_, Plan()), {.steady_ns = now_ns, .unix_ns = now_ns});
  for (int i = 0; i < 2; ++i) {
    monitor.Note("web", dead, {.ok = true, .cause = ""}, {.steady_ns = now_ns, .unix_ns = now_ns});
  }
  EXPECT_THAT(decide(), IsEmpty()) << "asked again, it answers";
}

TEST_F(ProbePlanTest, NothingToAskIsSaid) {
  config_.vips.clear();
  EXPECT_THAT(Plan().notices, ElementsAre("pool web has a health check and is not probed: no VIP "
                                          "with a port leads to it; write health_check.port"));
  check().through = HealthCheck::Through::kVip;
  const ProbePlan plan = Plan();
  EXPECT_THAT(plan.notices, ElementsAre(HasSubstr("write through: direct")));
  EXPECT_THAT(plan.unprobed, ElementsAre("web"));
}

TEST(JudgeReturnTest, StrictWantsTheSameWayAndLooseAny) {
  const model::IpAddress vip = Ip("192.0.2.10");
  EXPECT_EQ(JudgeReturn(vip, "eth1", {}), "");
  EXPECT_THAT(JudgeReturn(vip, "eth1", {.own = true}), HasSubstr("an address of this host"));
  EXPECT_EQ(JudgeReturn(vip, "eth1", {.rp_filter = 1, .way = "eth1"}), "");
  EXPECT_THAT(JudgeReturn(vip, "eth1", {.rp_filter = 1, .way = "eth0"}),
              HasSubstr("its rp_filter is 1, and the way to 192.0.2.10 is by eth0; set "
                        "net.ipv4.conf.eth1.rp_filter (and all) to 2"));
  EXPECT_EQ(JudgeReturn(vip, "eth1", {.rp_filter = 2, .way = "eth0"}), "");
  EXPECT_THAT(JudgeReturn(vip, "eth1", {.rp_filter = 2}), HasSubstr("is unknown; set"));
  EXPECT_EQ(JudgeReturn(Ip("2001:db8::10"), "eth1", {.rp_filter = 1, .way = "eth0"}), "")
      << "IPv6 has no such filter";
}

}  // namespace
}  // namespace evenkeel::daemon
