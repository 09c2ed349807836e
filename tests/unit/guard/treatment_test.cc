// SPDX-License-Identifier: Apache-2.0
#include "control/guard/treatment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Change = std::function<void(model::Config&)>;

struct Case {
  const char* name;
  Change change;
};

// Every flow of the VIP would lead to another slot.
class Respread : public ::testing::TestWithParam<Case> {};

TEST_P(Respread, IsRefused) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  GetParam().change(candidate);
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  ASSERT_THAT(BlockingRules(verdict), ElementsAre("LB006"));
  const auto violations = ViolationsOf(verdict, "LB006");
  EXPECT_THAT(violations[0].observed, HasSubstr("all flows of vips/web lead to other slots"));
  EXPECT_THAT(violations[0].fix, HasSubstr("new pool and a new VIP"));
}

// What excuses a remapping of some slots does not excuse this.
TEST_P(Respread, IsRefusedWithADrainToo) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  GetParam().change(candidate);
  candidate.pools[0].backends[3].state = model::AdminState::kDraining;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ElementsAre("LB006"));
}

TEST_P(Respread, IsAFirstStateLikeAnyOther) {
  model::Config first = WebWith(4);
  GetParam().change(first);
  EXPECT_THAT(BlockingRules(JudgeChange(nullptr, first).verdict), IsEmpty());
}

// The nearest change that passes: the new way for a new pool and a new VIP.
TEST_P(Respread, PassesForANewPoolAndVip) {
  const model::Config base = WebWith(4);
  model::Config changed = WebWith(4), candidate = base;
  GetParam().change(changed);
  changed.pools[0].name = "web-new";
  changed.vips[0].name = "web-new";
  changed.vips[0].pool = "web-new";
  changed.vips[0].address = Ip("192.0.2.99");
  candidate.pools.push_back(changed.pools[0]);
  candidate.vips.push_back(changed.vips[0]);
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, Respread,
    ::testing::Values(
        Case{"by_source", [](auto& c) { c.pools[0].affinity = model::Affinity::kSource; }},
        Case{"by_port", [](auto& c) { c.vips[0].spread_by = model::SpreadBy::kDestinationPort; }}),
    [](const auto& test) { return test.param.name; });

TEST(RespreadPrefix, IsRefused) {
  model::Config base = WebWith(4);
  base.pools[0].affinity = model::Affinity::kSource;
  model::Config candidate = base;
  candidate.pools[0].affinity_prefix6 = 56;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ElementsAre("LB006"));
  EXPECT_EQ(ApplyFixes(&base, candidate, "LB006"), base);
}

// What does not touch the way to the slots may change while traffic flows.
class Kept : public ::testing::TestWithParam<Case> {};

TEST_P(Kept, Passes) {
  const model::Config base = WebWith(4);
  model::Config candidate = base;
  GetParam().change(candidate);
  ASSERT_NE(candidate, base);
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
}

// And is another state all the same.
TEST_P(Kept, HasAnotherDigest) {
  model::Config candidate = WebWith(4);
  GetParam().change(candidate);
  EXPECT_NE(Built(candidate)->digest, Built(WebWith(4))->digest);
}

INSTANTIATE_TEST_SUITE_P(
    All, Kept,
    ::testing::Values(Case{"gue", [](auto& c) { c.pools[0].forwarding = model::Forwarding::kGue; }},
                      Case{"dscp", [](auto& c) { c.pools[0].dscp.value = 46; }},
                      Case{"dscp_copy", [](auto& c) { c.pools[0].dscp.copy = true; }},
                      Case{"untracked", [](auto& c) { c.vips[0].tracking = false; }},
                      Case{"quic_ids",
                           [](auto& c) {
                             c.pools[0].quic =
                                 model::QuicIds{.config_id = 1, .server_id_length = 1};
                             c.pools[0].backends[0].server_id = "01";
                           }}),
    [](const auto& test) { return test.param.name; });

TEST(TreatmentOf, WhatHasNoEffectIsNoDifference) {
  model::Vip vip;
  model::Pool pool;
  EXPECT_EQ(TreatmentOf(vip, pool), Treatment{});
  vip.protocol = model::Protocol::kUdp;
  EXPECT_EQ(TreatmentOf(vip, pool), Treatment{});
  vip.tracking = false;  // plain UDP has no connections anyway
  EXPECT_EQ(TreatmentOf(vip, pool), Treatment{});
  pool.affinity_prefix4 = 8;
  EXPECT_EQ(TreatmentOf(vip, pool), Treatment{});
}

TEST(TreatmentOf, TracksUdpWhereThePoolSaysSo) {
  model::Vip vip;
  model::Pool pool;
  pool.affinity = model::Affinity::kFlow;
  EXPECT_EQ(TreatmentOf(vip, pool), Treatment{}) << "TCP is tracked by its connections";
  vip.protocol = model::Protocol::kUdp;
  EXPECT_EQ(TreatmentOf(vip, pool).tracking, Treatment::Tracking::kFlows);
  pool.affinity = model::Affinity::kSource;
  EXPECT_EQ(TreatmentOf(vip, pool).tracking, Treatment::Tracking::kFlows);
  vip.tracking = false;
  EXPECT_EQ(TreatmentOf(vip, pool).tracking, Treatment::Tracking::kConnections);
}

TEST(TreatmentOf, TheVipsSpreadWins) {
  model::Vip vip;
  model::Pool pool;
  pool.affinity = model::Affinity::kSource;
  pool.out_of_order_fragments = model::OutOfOrder::kForward;
  EXPECT_TRUE(TreatmentOf(vip, pool).forward_fragments);
  vip.spread_by = model::SpreadBy::kDestinationPort;
  EXPECT_EQ(TreatmentOf(vip, pool).spread.by, Spread::By::kDestinationPort);
  EXPECT_FALSE(TreatmentOf(vip, pool).forward_fragments);
}

}  // namespace
}  // namespace evenkeel::guard::testing
