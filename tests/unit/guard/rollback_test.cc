// SPDX-License-Identifier: Apache-2.0
//
// Undoing must not wait: what a return to an earlier state may do, and the two things it may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Everything can be reached but `unreachable`.
Facts FactsWith(const model::Config& config, std::vector<model::IpAddress> unreachable = {}) {
  Facts facts = LiveFactsFor(config);
  for (const auto& address : unreachable) {
    (*facts.live->reach)[address] = {false, "no route to " + address.ToString()};
  }
  return facts;
}

std::vector<model::IpAddress> AddressesOf(const model::Pool& pool) {
  std::vector<model::IpAddress> addresses;
  for (const model::Backend& b : pool.backends) addresses.push_back(b.address);
  return addresses;
}

Judgement Return(const model::Config& to, const model::Config& from, const Facts& facts) {
  const auto running = Built(from);
  return JudgeRollback(Built(to, running), running, facts);
}

// As if an override, or an older guard, had let it run.
model::Config OneServer() {
  model::Config config = WebWith(4);
  config.pools[0].backends.resize(1);
  return config;
}

TEST(Rollback, IsNotHeldUpByWhatItChanges) {
  const Judgement judgement = Return(WebWith(4), WebWith(40), FactsWith(WebWith(4)));
  EXPECT_EQ(judgement.verdict.severity, Severity::kPass);
  ASSERT_TRUE(judgement.approval.has_value());
  EXPECT_FALSE(judgement.approval->base().has_value());
  EXPECT_EQ(judgement.verdict.pools[0].kind, PoolChange::Kind::kChanged);
  EXPECT_GT(judgement.verdict.pools[0].slots_moved, 0u);
}

TEST(Rollback, ToABadStateOnlyWarns) {
  const Judgement judgement = Return(OneServer(), WebWith(4), FactsWith(OneServer()));
  EXPECT_TRUE(judgement.approval.has_value());
  EXPECT_THAT(BlockingRules(judgement.verdict), IsEmpty());
  for (const char* rule : {"LB001", "LB003"}) {
    const auto violations = ViolationsOf(judgement.verdict, rule);
    ASSERT_EQ(violations.size(), 1u) << rule;
    EXPECT_THAT(violations[0].limit, HasSubstr("a return to an earlier accepted state"));
  }
}

TEST(Rollback, MayHaveAPolicyThatIsNowTooLoose) {
  model::Config to = WebWith(4);
  to.pools[0].policy.max_share = 1;
  EXPECT_EQ(Return(to, WebWith(4), FactsWith(to)).verdict.severity, Severity::kWarn);
}

TEST(Rollback, NeedsATableThatTheWeightsAskFor) {
  const auto running = Built(WebWith(4));
  auto broken = std::make_shared<BuiltFleet>(*Built(WebWith(3)));
  auto pool = std::make_shared<BuiltPool>(*broken->pools[0]);
  auto table = std::make_shared<BuiltTable>(*pool->table);
  std::fill(table->owner.begin(), table->owner.end(), uint16_t{0});
  pool->table = table;
  pool->digest = table->ComputeDigest();
  pool->slots = table->CountSlots();
  broken->pools[0] = pool;
  const Judgement judgement = JudgeRollback(broken, running, FactsWith(WebWith(3)));
  EXPECT_THAT(BlockingRules(judgement.verdict), ElementsAre("LB002"));
  EXPECT_FALSE(judgement.approval.has_value());
}

TEST(Rollback, NeedsAServerThatCanBeReached) {
  const model::Config to = WebWith(3), from = WebWith(4);
  auto gone = AddressesOf(to.pools[0]);
  const Judgement refused = Return(to, from, FactsWith(to, gone));
  ASSERT_THAT(BlockingRules(refused.verdict), ElementsAre("LB010"));
  EXPECT_THAT(refused.verdict.violations[0].observed,
              HasSubstr("web-1..web-3 (all that serve) cannot be reached: no route to 10.0.1.11"));
  EXPECT_FALSE(refused.approval.has_value());
  gone.pop_back();
  EXPECT_EQ(Return(to, from, FactsWith(to, gone)).verdict.severity, Severity::kWarn);
}

TEST(Rollback, NeedsAServerAtAll) {
  model::Config to = WebWith(2);
  for (auto& b : to.pools[0].backends) b.state = model::AdminState::kDraining;
  EXPECT_THAT(BlockingRules(Return(to, WebWith(2), FactsWith(to)).verdict), ElementsAre("LB010"));
  to.vips.clear();
  EXPECT_THAT(BlockingRules(Return(to, WebWith(2), FactsWith(to)).verdict), IsEmpty());
}

TEST(Rollback, IsNotHeldUpByADeadPoolThatItDoesNotTouch) {
  model::Config from = WebWith(4);
  from.pools.push_back(MakePool("dead", 2, 7));
  from.vips.push_back({"dead", Ip("192.0.2.11"), 443, model::Protocol::kTcp, "dead"});
  model::Config to = from;
  to.pools[0] = MakePool("web", 3);
  const Facts facts = FactsWith(to, AddressesOf(to.pools[1]));
  EXPECT_EQ(Return(to, from, facts).verdict.severity, Severity::kWarn);
}

TEST(Rollback, GoesAheadWhereReachabilityIsNotKnown) {
  Facts facts = FactsWith(WebWith(4));
  facts.live->reach = absl::UnavailableError("netlink: no buffer space");
  const Judgement judgement = Return(WebWith(4), WebWith(5), facts);
  EXPECT_TRUE(judgement.approval.has_value());
  EXPECT_THAT(ViolationsOf(judgement.verdict, "LB010")[0].observed, HasSubstr("no buffer space"));
  EXPECT_TRUE(Return(WebWith(4), WebWith(5), {}).approval.has_value());
}

TEST(Rollback, WorksWithNothingRunning) {
  EXPECT_TRUE(JudgeRollback(Built(WebWith(4)), nullptr, {}).approval.has_value());
  EXPECT_TRUE(JudgeRollback(nullptr, nullptr, {}).verdict.refused());
}

}  // namespace
}  // namespace evenkeel::guard::testing
