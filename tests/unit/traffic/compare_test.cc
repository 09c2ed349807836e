// SPDX-License-Identifier: Apache-2.0
//
// Sampled flows put through two states.
#include "control/traffic/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cmath>
#include <functional>
#include <string>

#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using traffic::CompareTraffic;
using traffic::Observed;
using traffic::PoolTraffic;

constexpr int kFlows = 2000;
const std::array<uint64_t, 2> kKey = dataplane::HashKeyWords(kTestKey);

// Clients of each VIP, `packets` of each.
Observed ClientsOf(const model::Config& config, int packets = 1) {
  Observed observed;
  for (const model::Vip& vip : config.vips) {
    const dataplane::VipKey key = {
        .address = vip.address,
        .port = vip.port,
        .ip_protocol = static_cast<uint8_t>(vip.protocol == model::Protocol::kTcp ? IPPROTO_TCP
                                                                                  : IPPROTO_UDP)};
    for (uint32_t i = 0; i < kFlows; ++i) {
      // One client each, so that those that are told apart by their source are, too.
      publish::Flow flow = publish::ClientFlow(key, 32768 * i, 443);
      observed.flows.insert(observed.flows.end(), static_cast<size_t>(packets), flow);
    }
  }
  return observed;
}

std::vector<PoolTraffic> Compare(const model::Config& before, const model::Config& after,
                                 const Observed& observed) {
  const auto running = guard::BuildFleet(before, kTestKey, nullptr);
  EXPECT_TRUE(running.ok()) << running.status();
  const auto candidate = guard::BuildFleet(after, kTestKey, running->get());
  EXPECT_TRUE(candidate.ok()) << candidate.status();
  return CompareTraffic(**running, **candidate, kKey, observed);
}

PoolTraffic CompareOne(const model::Config& before, const model::Config& after,
                       const Observed& observed) {
  const auto pools = Compare(before, after, observed);
  EXPECT_EQ(pools.size(), 1u);
  return pools.empty() ? PoolTraffic{} : pools[0];
}

// Five standard deviations of the flows that a share of them would be.
void ExpectShare(uint64_t flows, double share, uint64_t of = kFlows) {
  const double all = static_cast<double>(of);
  EXPECT_NEAR(static_cast<double>(flows), share * all, 5 * std::sqrt(all * share * (1 - share)));
}

struct Case {
  const char* name;
  std::function<void(model::Config&)> before, change;
  double moved, cut;  // parts of the flows
};

class FlowsOf : public ::testing::TestWithParam<Case> {};

TEST_P(FlowsOf, AreCounted) {
  model::Config config = MakeConfig(1, 4);
  if (GetParam().before) GetParam().before(config);
  model::Config after = config;
  GetParam().change(after);
  const PoolTraffic pool = CompareOne(config, after, ClientsOf(config, 3));
  EXPECT_EQ(pool.pool, "p0");
  EXPECT_EQ(pool.sampled, (traffic::Count{3 * kFlows, kFlows}));
  ExpectShare(pool.moved.flows, GetParam().moved);
  EXPECT_EQ(pool.moved.packets, 3 * pool.moved.flows);
  ExpectShare(pool.cut.flows, GetParam().cut);
  EXPECT_EQ(pool.cut.packets, 3 * pool.cut.flows);
  EXPECT_EQ(pool.staying.flows, pool.moved.flows - pool.cut.flows);
  EXPECT_EQ(pool.staying.packets, 3 * pool.staying.flows);
  EXPECT_FALSE(pool.packets_per_s) << "nothing is known of counters";
}

using Config = model::Config;
void SetState(Config& c, model::AdminState state) { c.pools[0].backends[1].state = state; }
void Udp(Config& c) { c.vips[0].protocol = model::Protocol::kUdp; }

INSTANTIATE_TEST_SUITE_P(
    All, FlowsOf,
    ::testing::Values(
        Case{"a_drain", {}, [](Config& c) { SetState(c, model::AdminState::kDraining); }, 0.25, 0},
        Case{"a_disabled_backend",
             {},
             [](Config& c) { SetState(c, model::AdminState::kDisabled); },
             0.25,
             0.25},
        Case{"a_removed_backend",
             {},
             [](Config& c) { c.pools[0].backends.erase(c.pools[0].backends.begin() + 1); },
             0.25,
             0.25},
        Case{"a_new_backend",
             {},
             [](Config& c) { c.pools[0].backends.push_back(MakePool("x", 0, {9}).backends[0]); },
             0.2,
             0},
        Case{"a_drain_of_an_untracked_vip", [](Config& c) { c.vips[0].tracking = false; },
             [](Config& c) { SetState(c, model::AdminState::kDraining); }, 0.25, 0.25},
        Case{"a_drain_of_plain_udp", Udp,
             [](Config& c) { SetState(c, model::AdminState::kDraining); }, 0.25, 0.25},
        Case{"a_drain_of_udp_with_affinity",
             [](Config& c) {
               Udp(c);
               c.pools[0].affinity = model::Affinity::kFlow;
             },
             [](Config& c) { SetState(c, model::AdminState::kDraining); }, 0.25, 0},
        Case{"a_drain_with_source_affinity",
             [](Config& c) { c.pools[0].affinity = model::Affinity::kSource; },
             [](Config& c) { SetState(c, model::AdminState::kDraining); }, 0.25, 0},
        // Of what a new hash sends elsewhere, nothing remembers where it was.
        Case{"another_hash",
             {},
             [](Config& c) { c.pools[0].affinity = model::Affinity::kSource; },
             0.75,
             0.75},
        Case{"the_vip_is_removed", {}, [](Config& c) { c.vips.clear(); }, 1, 1},
        Case{"everybody_is_denied",
             {},
             [](Config& c) {
               c.source_rules.push_back(MakeRules("all", {"0.0.0.0/0"}));
               c.vips[0].source_rules = "all";
             },
             1,
             1},
        Case{"a_capacity_alone", {}, [](Config& c) { c.pools[0].backends[0].capacity = 7; }, 0, 0}),
    [](const auto& test) { return test.param.name; });

// A larger table is another one: hardly anything stays by chance, and no slot remembers.
TEST(CompareTraffic, OfAnotherTableSizeCutsWhatMoves) {
  const Config before = MakeConfig(1, 4);
  Config after = before;
  after.pools[0].table_size = 2003;
  const PoolTraffic pool = CompareOne(before, after, ClientsOf(before));
  EXPECT_GT(pool.moved.flows, kFlows / 2u);
  EXPECT_EQ(pool.cut, pool.moved);
}

TEST(CompareTraffic, OfAVipThatIsLedElsewhereCutsAll) {
  const Config before = MakeConfig(2, 4);
  Config after = before;
  after.vips[0].pool = "p1";
  const auto pools = Compare(before, after, ClientsOf(before));
  ASSERT_EQ(pools.size(), 1u) << "the other pool's traffic does not change";
  EXPECT_EQ(pools[0].pool, "p0");
  EXPECT_EQ(pools[0].cut.flows, kFlows);
}

// Also where the other pool has the same servers: its slots remember its own flows only.
TEST(CompareTraffic, OfAnotherPoolOfTheSameServersCutsWhatMoves) {
  Config before = MakeConfig(2, 4);
  before.pools[1].backends = before.pools[0].backends;
  before.pools[1].backends[0].weight = 50;
  Config after = before;
  after.vips[0].pool = "p1";
  const PoolTraffic pool = CompareOne(before, after, ClientsOf(before));
  EXPECT_GT(pool.moved.flows, 100u);
  EXPECT_LT(pool.moved.flows, kFlows / 2u);
  EXPECT_EQ(pool.cut, pool.moved);
}

TEST(CompareTraffic, ListsThePoolsThatChange) {
  const Config before = MakeConfig(3, 4);
  Config after = before;
  after.pools[2].backends[0].weight = 50;
  after.pools.push_back(MakePool("new", 9, {1, 2, 3}));
  after.vips[0].name = "renamed";
  const auto pools = Compare(before, after, ClientsOf(before));
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0].pool, "p2");
  EXPECT_EQ(pools[0].sampled.flows, kFlows);
}

// Neither pool nor VIP differs then.
TEST(CompareTraffic, CutsWhomTheSourceRulesDenyFromThenOn) {
  Config before = MakeConfig(2, 4);
  before.source_rules = {MakeRules("own", {"203.0.113.0/24"}), MakeRules("edge", {"10.0.0.0/8"})};
  before.vips[0].source_rules = "own";
  before.global_source_rules = "edge";
  Config after = before;
  after.source_rules[0].deny.push_back(model::Prefix::Parse("198.18.0.0/22").value());
  auto pools = Compare(before, after, ClientsOf(before));
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0].pool, "p0");
  EXPECT_EQ(pools[0].cut.flows, 1023u) << "of 1,024 addresses the first is nobody's";
  EXPECT_EQ(pools[0].moved, pools[0].cut);
  after = before;
  after.source_rules[1].deny.push_back(model::Prefix::Parse("198.18.0.0/15").value());
  pools = Compare(before, after, ClientsOf(before));
  ASSERT_EQ(pools.size(), 2u) << "the global set is everybody's";
  EXPECT_EQ(pools[1].cut.flows, kFlows);
}

// One connection is as many flows as it has destination ports; of a slot that they share all move
// or none.
TEST(CompareTraffic, HashesAsTheVipSays) {
  Config before = MakeConfig(1, 4);
  before.vips[0].port = 0;
  before.vips[0].spread_by = model::SpreadBy::kDestinationPort;
  Config after = before;
  SetState(after, model::AdminState::kDraining);
  Observed one_port, ports;
  for (uint32_t i = 0; i < 400; ++i) {
    const dataplane::VipKey key = {
        .address = before.vips[0].address, .port = 0, .ip_protocol = IPPROTO_TCP};
    one_port.flows.push_back(publish::ClientFlow(key, i, 443));
    ports.flows.push_back(publish::ClientFlow(key, 0, static_cast<uint16_t>(1000 + i)));
  }
  const uint64_t together = CompareOne(before, after, one_port).moved.flows;
  EXPECT_TRUE(together == 0 || together == 400) << together;
  ExpectShare(CompareOne(before, after, ports).moved.flows, 0.25, 400);
}

TEST(CompareTraffic, CountsWhatComesToTheVipAndMayCome) {
  Config before = MakeConfig(1, 4);
  before.source_rules.push_back(MakeRules("half", {"198.18.0.0/22"}));
  before.vips[0].source_rules = "half";
  Config after = before;
  SetState(after, model::AdminState::kDraining);
  Observed observed = ClientsOf(before);
  observed.flows[0].destination_port = 444;  // not the VIP's
  uint64_t admitted = 0;
  for (const publish::Flow& flow : observed.flows) {
    admitted += flow.destination_port == 443 && flow.source.bytes()[2] >= 4;
  }
  ASSERT_GT(admitted, 900u);
  ASSERT_LT(admitted, 1000u);
  EXPECT_EQ(CompareOne(before, after, observed).sampled.flows, admitted);
}

class QuicFlows : public ::testing::Test {
 protected:
  void SetUp() override {
    before_.vips[0].protocol = model::Protocol::kQuic;
    before_.pools[0].quic = model::QuicIds{.config_id = 1, .server_id_length = 1};
    for (size_t i = 0; i < 4; ++i)
      before_.pools[0].backends[i].server_id = "0" + std::to_string(i + 1);
    after_ = before_;
    const dataplane::VipKey key = {.address = before_.vips[0].address,
                                   .port = before_.vips[0].port,
                                   .ip_protocol = IPPROTO_UDP};
    for (uint32_t i = 0; i < 1000; ++i) {
      publish::Flow flow = publish::ClientFlow(key, i, 443);
      const auto id = static_cast<uint8_t>(i % 4 + 1);
      flow.payload = {0x40, 0x20, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
      observed_.flows.push_back(flow);
    }
  }

  Config before_ = MakeConfig(1, 4), after_;
  Observed observed_;
};

TEST_F(QuicFlows, WithAnIdDoNotMove) {
  SetState(after_, model::AdminState::kDraining);
  const PoolTraffic pool = CompareOne(before_, after_, observed_);
  EXPECT_EQ(pool.sampled.flows, 1000u);
  EXPECT_EQ(pool.moved, traffic::Count{});
}

TEST_F(QuicFlows, WhoseServerIsDisabledAreCut) {
  SetState(after_, model::AdminState::kDisabled);
  const PoolTraffic pool = CompareOne(before_, after_, observed_);
  EXPECT_EQ(pool.moved.flows, 250u);
  EXPECT_EQ(pool.cut.flows, 250u);
}

// Both servers go on serving, but the ids lead astray.
TEST_F(QuicFlows, WhoseIdsAreGivenToOthersAreCut) {
  std::swap(after_.pools[0].backends[0].server_id, after_.pools[0].backends[1].server_id);
  const PoolTraffic pool = CompareOne(before_, after_, observed_);
  EXPECT_EQ(pool.moved.flows, 500u);
  EXPECT_EQ(pool.cut.flows, 500u);
}

TEST_F(QuicFlows, WithoutAnIdFollowTheirSlot) {
  for (publish::Flow& flow : observed_.flows) flow.payload[1] = 0xe0;  // no configuration
  SetState(after_, model::AdminState::kDraining);
  const PoolTraffic pool = CompareOne(before_, after_, observed_);
  ExpectShare(pool.moved.flows, 0.25, 1000);
  EXPECT_EQ(pool.staying, pool.moved);
}

// Of one connection the packets with an id say where it is.
TEST_F(QuicFlows, AreHeldByThePacketsWithAnId) {
  Observed both = observed_;
  for (publish::Flow& flow : both.flows) flow.payload[1] = 0xe0;
  both.flows.insert(both.flows.end(), observed_.flows.begin(), observed_.flows.end());
  SetState(after_, model::AdminState::kDraining);
  const PoolTraffic pool = CompareOne(before_, after_, both);
  EXPECT_EQ(pool.sampled, (traffic::Count{2000, 1000}));
  EXPECT_GT(pool.moved.packets, 0u);
  EXPECT_EQ(pool.moved.flows, 0u);
}

}  // namespace
}  // namespace evenkeel::testing
