// SPDX-License-Identifier: Apache-2.0
#include "control/publish/explain.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include "tests/unit/publish/fixture.h"

namespace evenkeel::testing {
namespace {

using publish::Choice;
using publish::Explanation;

class ExplainTest : public PublishingTest {
 protected:
  static publish::Flow Tcp(uint16_t port, bool opening, const std::string& source = "198.51.100.1",
                           const std::string& vip = "192.0.2.1") {
    return {.source = Ip(source),
            .destination = Ip(vip),
            .source_port = port,
            .destination_port = 443,
            .ip_protocol = IPPROTO_TCP,
            .opening = opening};
  }
  Explanation Explain(const publish::Flow& flow) {
    auto result = publisher_->Explain({flow});
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok() || result->packets.size() != 1) return {};
    return result->packets[0];
  }
  // A flow whose slot has (or has not) a previous owner.
  publish::Flow FlowOf(bool moving) {
    for (uint16_t port = 1; port < 20000; ++port) {
      const Explanation e = Explain(Tcp(port, false));
      if ((e.previous.id != 0) == moving) return e.flow;
    }
    ADD_FAILURE() << "no such flow";
    return {};
  }
  // A fifth server gets slots of the others.
  void Move() {
    ASSERT_TRUE(Apply(MakeConfig(1, 4)).ok());
    ASSERT_TRUE(Apply(MakeConfig(1, 5)).ok());
  }
};

TEST_F(ExplainTest, WithoutAStateEveryPacketPasses) {
  const auto result = publisher_->Explain({Tcp(1, true)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->published);
  EXPECT_EQ(result->packets[0].verdict, EK_PASS_NO_VIP);
}

TEST_F(ExplainTest, NamesEachDecision) {
  ASSERT_TRUE(Apply(MakeConfig(2, 4)).ok());
  const auto result = publisher_->Explain({Tcp(4711, true)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->published);
  EXPECT_EQ(result->revision, 1u);
  EXPECT_EQ(result->generation, Active().generation);
  EXPECT_EQ(result->digest, publisher_->applied()->digest);
  const Explanation& e = result->packets[0];
  EXPECT_EQ(e.vip_name, "v0");
  EXPECT_EQ(e.pool, "p0");
  EXPECT_TRUE(e.opens);
  EXPECT_EQ(e.spread_by, "flow");
  const auto& table = *publisher_->applied()->pools[0]->table;
  EXPECT_EQ(e.slots, table.size);
  EXPECT_EQ(e.owner.address, table.servers[table.owner[e.slot]]);
  EXPECT_EQ(e.backend.name.substr(0, 3), "p0-");
  EXPECT_NEAR(e.backend.share, 0.25, 0.01);
  EXPECT_EQ(e.choice, Choice::kOwner);
  EXPECT_EQ(e.interface, "eth0");
  ASSERT_TRUE(e.next_hop);
  EXPECT_EQ(e.next_hop->mtu, 1500);
  EXPECT_EQ(e.outer_destination, e.backend.address.ToString());
  EXPECT_EQ(e.verdict, EK_FORWARD);
  EXPECT_EQ(e.action, static_cast<uint32_t>(XDP_REDIRECT));
  EXPECT_EQ(e.disagreement, "");
}

TEST_F(ExplainTest, APacketForNoVip) {
  ASSERT_TRUE(Apply(MakeConfig(1, 2)).ok());
  const Explanation e = Explain(Tcp(1, true, "198.51.100.1", "192.0.2.250"));
  EXPECT_FALSE(e.vip);
  EXPECT_EQ(e.verdict, EK_PASS_NO_VIP);
  EXPECT_EQ(e.disagreement, "");
}

TEST_F(ExplainTest, TheRuleThatDenies) {
  model::Config config = MakeConfig(1, 2);
  config.source_rules = {MakeRules("edge", {"203.0.113.0/24"}),
                         MakeRules("own", {"198.51.100.0/24"}, {"198.51.100.7/32"})};
  config.global_source_rules = "edge";
  config.vips[0].source_rules = "own";
  ASSERT_TRUE(Apply(config).ok());
  const Explanation denied = Explain(Tcp(1, true, "198.51.100.9"));
  EXPECT_EQ(denied.verdict, EK_DROP_SOURCE);
  ASSERT_EQ(denied.rules.size(), 2u);
  EXPECT_TRUE(denied.rules[0].global);
  EXPECT_FALSE(denied.rules[0].denied);
  EXPECT_EQ(denied.rules[0].prefix, "0.0.0.0/0");
  EXPECT_EQ(denied.rules[1].set, "own");
  EXPECT_EQ(denied.rules[1].prefix, "198.51.100.0/24");
  EXPECT_TRUE(denied.rules[1].denied);
  EXPECT_EQ(denied.slots, 0u) << "it does not get so far";
  EXPECT_EQ(denied.disagreement, "");
  const Explanation allowed = Explain(Tcp(1, true, "198.51.100.7"));
  EXPECT_EQ(allowed.verdict, EK_FORWARD);
  EXPECT_EQ(allowed.rules[1].prefix, "198.51.100.7/32");
  EXPECT_EQ(Explain(Tcp(1, true, "203.0.113.1")).rules.size(), 1u)
      << "the first that denies ends it";
}

TEST_F(ExplainTest, WhatALimitWouldSayNow) {
  model::Config config = MakeConfig(1, 2);
  config.vips[0].limits.per_source = model::RateLimit{.rate = 10, .burst = 1};
  config.vips[0].limits.new_flows = model::RateLimit{.rate = 10, .burst = 1};
  ASSERT_TRUE(Apply(config).ok());
  kernel_.SetLimitClock({.now = 5'000'000'000, .source_due = 0, .new_flow_due = 5'090'000'000});
  const Explanation opening = Explain(Tcp(1, true));
  ASSERT_TRUE(opening.source_limit && opening.new_flow_limit);
  EXPECT_TRUE(opening.source_limit->within);
  EXPECT_FALSE(opening.new_flow_limit->within);
  EXPECT_EQ(opening.verdict, EK_DROP_NEW_FLOW_LIMIT);
  EXPECT_EQ(opening.disagreement, "");
  const Explanation later = Explain(Tcp(1, false));
  EXPECT_FALSE(later.new_flow_limit) << "it opens nothing";
  EXPECT_EQ(later.verdict, EK_FORWARD);
  kernel_.SetLimitClock({.now = 5'000'000'000, .source_due = 5'090'000'000, .new_flow_due = 0});
  EXPECT_EQ(Explain(Tcp(1, false)).verdict, EK_DROP_SOURCE_LIMIT);
}

TEST_F(ExplainTest, OfAMovingSlot) {
  Move();
  const publish::Flow flow = FlowOf(true);
  const Explanation older = Explain(flow);
  EXPECT_EQ(older.choice, Choice::kPrevious);
  EXPECT_EQ(older.backend.address, older.previous.address);
  EXPECT_NE(older.previous.address, older.owner.address);
  EXPECT_FALSE(older.pin);
  publish::Flow opening = flow;
  opening.opening = true;
  EXPECT_EQ(Explain(opening).choice, Choice::kOwner);
  EXPECT_FALSE(Explain(flow).pin) << "looking pins nothing";
  ASSERT_EQ(kernel_.Deliver(opening), older.owner.address);
  const Explanation pinned = Explain(flow);
  EXPECT_EQ(pinned.choice, Choice::kPin);
  EXPECT_TRUE(pinned.pin_holds);
  EXPECT_EQ(pinned.backend.address, older.owner.address);
  EXPECT_EQ(pinned.disagreement, "");
}

TEST_F(ExplainTest, ChangesNothing) {
  Move();
  const publish::Flow flow = FlowOf(true);
  publish::Flow opening = flow;
  opening.opening = true;
  (void)kernel_.Deliver(opening);
  const std::string before = kernel_.Dump();
  const std::vector<dataplane::Pin> pins = *kernel_.ReadPins();
  ASSERT_FALSE(pins.empty());
  for (int i = 0; i < 3; ++i) {
    (void)Explain(flow);
    (void)Explain(opening);
  }
  EXPECT_EQ(kernel_.Dump(), before);
  EXPECT_EQ(*kernel_.ReadPins(), pins);
}

TEST_F(ExplainTest, AServerWithoutANextHop) {
  for (int n = 1; n <= 2; ++n) {
    resolver_.SetUnreachable(model::IpAddress::FromIpv4({10, 0, 0, static_cast<uint8_t>(n)}),
                             "no answer on eth0");
  }
  ASSERT_TRUE(Apply(MakeConfig(1, 2)).ok());
  const Explanation e = Explain(Tcp(1, true));
  EXPECT_EQ(e.verdict, EK_DROP_NO_NEXTHOP);
  EXPECT_FALSE(e.next_hop);
  EXPECT_EQ(e.problem, "no answer on eth0");
  EXPECT_EQ(e.disagreement, "");
}

TEST_F(ExplainTest, AProgramThatDoesSomethingElseIsAFinding) {
  ASSERT_TRUE(Apply(MakeConfig(1, 2)).ok());
  const publish::Flow flow = Tcp(1, true);
  kernel_.BreakProbes(true);
  const Explanation e = Explain(flow);
  EXPECT_NE(e.disagreement.find("it must go to"), std::string::npos) << e.disagreement;
  kernel_.BreakProbes(false);
  EXPECT_EQ(Explain(flow).disagreement, "");
}

TEST_F(ExplainTest, AForeignWriterIsAFinding) {
  ASSERT_TRUE(Apply(MakeConfig(1, 2)).ok());
  const Explanation before = Explain(Tcp(1, true));
  const uint16_t other = before.owner.id == 1 ? 2 : 1;
  kernel_.OverwriteSlot(Active().image.vips[0].table, before.slot, other);
  const Explanation e = Explain(Tcp(1, true));
  EXPECT_NE(e.disagreement.find("in the state that was published"), std::string::npos)
      << e.disagreement;
  EXPECT_EQ(e.owner.id, other) << "what the kernel has is shown";
}

TEST_F(ExplainTest, ManyPacketsAreOfOneGeneration) {
  ASSERT_TRUE(Apply(MakeConfig(1, 4)).ok());
  std::vector<publish::Flow> flows;
  for (size_t i = 0; i < publish::kMaxExplained; ++i) {
    flows.push_back(Tcp(static_cast<uint16_t>(i + 1), true));
  }
  const auto result = publisher_->Explain(flows);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->packets.size(), flows.size());
  for (size_t i = 0; i < flows.size(); ++i) {
    EXPECT_EQ(result->packets[i].flow.source_port, flows[i].source_port);
  }
  flows.push_back(Tcp(1, true));
  EXPECT_EQ(publisher_->Explain(flows).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace evenkeel::testing
