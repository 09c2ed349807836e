// SPDX-License-Identifier: Apache-2.0
//
// What the guard must let through, next to what looks like it and must not pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(NeverBlocked, TheFirstState) {
  const Judgement judgement = JudgeChange(nullptr, WebWith(4));
  EXPECT_EQ(judgement.verdict.severity, Severity::kPass);
  EXPECT_TRUE(judgement.approval.has_value());
}

TEST(NeverBlocked, AnEmptyFirstState) {
  EXPECT_FALSE(JudgeChange(nullptr, model::Config{}).verdict.refused());
}

class DrainOfOne : public ::testing::TestWithParam<size_t> {};

TEST_P(DrainOfOne, OnlyWarns) {
  const model::Config base = WebWith(GetParam());
  for (size_t gone = 0; gone < base.pools[0].backends.size(); ++gone) {
    model::Config candidate = base;
    candidate.pools[0].backends[gone].state = model::AdminState::kDraining;
    EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
    candidate.pools[0].backends[gone].state = model::AdminState::kDisabled;
    EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
    candidate = base;
    candidate.pools[0].backends[gone].weight = 0;
    EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Guard, DrainOfOne, ::testing::Values(3, 4, 5));

TEST(NeverBlocked, ADrainWithAnUnevenRest) {
  model::Config base = WebWith(3);
  base.pools[0].backends[0].weight = 200;
  base.pools[0].backends[1].weight = 160;
  base.pools[0].backends[2].weight = 41;
  ASSERT_FALSE(JudgeChange(nullptr, base).verdict.refused());
  model::Config candidate = base;
  candidate.pools[0].backends[1].state = model::AdminState::kDraining;
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  EXPECT_EQ(SeverityOf(verdict, "LB001"), Severity::kWarn);
}

TEST(Blocked, TheDrainThatLeavesOneServer) {
  model::Config running = WebWith(4);
  for (size_t gone : {0, 1}) {
    model::Config next = running;
    next.pools[0].backends[gone].state = model::AdminState::kDraining;
    ASSERT_THAT(BlockingRules(JudgeChange(&running, next).verdict), IsEmpty());
    running = next;
  }
  model::Config last = running;
  last.pools[0].backends[2].state = model::AdminState::kDraining;
  EXPECT_THAT(BlockingRules(JudgeChange(&running, last).verdict),
              ::testing::IsSupersetOf({"LB001", "LB003"}));
}

TEST(NeverBlocked, TheDrainOfOneOfTwoIfSomebodyDeclaresIt) {
  const model::Config base = WebWith(2);
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  candidate.pools[0].policy.single_backend = model::SingleBackend{"disk of web-1 fails", "ops"};
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
}

TEST(Blocked, RemovalIsNotADrain) {
  const model::Config base = WebWith(3);
  model::Config candidate = base;
  candidate.pools[0].backends.pop_back();
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ::testing::Contains("LB006"));
}

TEST(Blocked, ADrainThatChangesAnotherWeightIsNotADrain) {
  const model::Config base = WebWith(3);
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  candidate.pools[0].backends[1].weight = 99;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ::testing::Contains("LB006"));
}

TEST(Blocked, TheDrainOfTheLastServer) {
  model::Config base = WebWith(2);
  base.pools[0].backends[0].state = model::AdminState::kDraining;
  model::Config candidate = base;
  candidate.pools[0].backends[1].state = model::AdminState::kDraining;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ::testing::Contains("LB003"));
}

TEST(Blocked, ADrainCannotCarryALoosenedPolicy) {
  const model::Config base = WebWith(3);
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  candidate.pools[0].policy.max_share = 1.0;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ::testing::Contains("LB001"));
}

model::Config DeclaredSingle(size_t n) {
  model::Config config = WebWith(n);
  config.pools[0].policy.single_backend = model::SingleBackend{"a license server", "team-a"};
  return config;
}

TEST(NeverBlocked, ADeclaredSingleBackendPool) {
  EXPECT_EQ(JudgeChange(nullptr, DeclaredSingle(1)).verdict.severity, Severity::kPass);
}

TEST(NeverBlocked, ReplacingTheServerOfADeclaredPool) {
  const model::Config base = DeclaredSingle(1);
  model::Config candidate = base;
  candidate.pools[0].backends[0].address = Ip("10.9.9.9");
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  EXPECT_EQ(SeverityOf(verdict, "LB006"), Severity::kWarn);
}

TEST(Blocked, ADeclarationDoesNotExcuseTakingThreeOfFourAway) {
  const model::Config base = WebWith(4);
  EXPECT_THAT(BlockingRules(JudgeChange(&base, DeclaredSingle(1)).verdict),
              ::testing::IsSupersetOf({"LB005", "LB006"}));
}

TEST(Blocked, ADeclaredPoolStillNeedsItsOneServer) {
  EXPECT_EQ(BlockingRules(JudgeChange(nullptr, DeclaredSingle(0)).verdict),
            std::vector<std::string>{"LB003"});
}

// One of four serves, as after a restore of a state that an older guard approved.
model::Config Degraded() {
  model::Config config = WebWith(4);
  for (size_t i = 1; i < 4; ++i) {
    config.pools[0].backends[i].state = model::AdminState::kDraining;
  }
  return config;
}

TEST(NeverBlocked, MendingABadStateAtOnce) {
  const model::Config base = Degraded();
  const Verdict verdict = JudgeChange(&base, WebWith(4)).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  const auto violations = ViolationsOf(verdict, "LB006");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_THAT(violations[0].limit, HasSubstr("mends what runs now"));
}

TEST(NeverBlocked, AStrictImprovementThatIsNotEnough) {
  model::Config base = Degraded();
  base.pools[0].policy.min_serving_backends = 4;
  model::Config candidate = base;
  candidate.pools[0].backends[1].state = model::AdminState::kEnabled;
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  EXPECT_EQ(SeverityOf(verdict, "LB003"), Severity::kWarn);
}

TEST(Blocked, AnotherBadStateIsNotAnImprovement) {
  const model::Config base = Degraded();
  model::Config candidate = base;
  // Still one server, but another one.
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  candidate.pools[0].backends[1].state = model::AdminState::kEnabled;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict),
              ::testing::IsSupersetOf({"LB001", "LB003", "LB006"}));
}

TEST(Blocked, ATightenedPolicyDoesNotMakeTheRunningStateBad) {
  const model::Config base = WebWith(2);
  model::Config candidate = WebWith(4);
  candidate.pools[0].policy.min_serving_backends = 4;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), ::testing::Contains("LB006"));
}

TEST(NeverBlocked, AnotherPoolWhileOneIsBad) {
  model::Config base = Degraded();
  base.pools.push_back(MakePool("api", 4, 7));
  base.vips.push_back({"api", Ip("192.0.2.11"), 443, model::Protocol::kTcp, "api"});
  model::Config candidate = base;
  candidate.pools[1].backends[0].weight = 90;
  const Verdict verdict = JudgeChange(&base, candidate).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  EXPECT_EQ(SeverityOf(verdict, "LB003"), Severity::kWarn);
}

TEST(NeverBlocked, TidyingADrainedEntryOfABadPool) {
  const model::Config base = Degraded();
  model::Config candidate = base;
  candidate.pools[0].backends.pop_back();
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate).verdict), IsEmpty());
}

// --- With a daemon: everything speaks against a change but that it is one of these ---

// Frozen, pending, changed just now; all traffic on web.
Facts Hostile(const model::Config& config) {
  Facts facts = LiveFactsFor(config);
  facts.host_policy.freeze = {{0, model::kMaxUnixSeconds, "always"}};
  facts.live->pending_revision = 41;
  facts.live->changes->push_back({"web", 41, kNow - 1});
  facts.live->traffic->vips["web"].packets = 1000;
  return facts;
}

TEST(NeverBlocked, TheFirstStateOfAHostileDay) {
  const model::Config config = WebWith(4);
  Facts facts = Hostile(config);
  for (auto& [address, reach] : *facts.live->reach) reach = {false, "no neighbour"};
  EXPECT_THAT(BlockingRules(JudgeChange(nullptr, config, facts).verdict), IsEmpty());
}

TEST(NeverBlocked, AnEmergencyDrainOfAHostileDay) {
  model::Config base = WebWith(3);
  base.policy.freeze = {{0, model::kMaxUnixSeconds, "always"}};
  base.pools[0].policy.freeze = base.policy.freeze;
  for (auto& b : base.pools[0].backends) b.capacity = 100;
  base.pools[0].policy.peak_load = 160;
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  const Verdict verdict = JudgeChange(&base, candidate, Hostile(candidate)).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  for (const char* rule : {"LB004", "LB014", "LB016"}) {
    EXPECT_EQ(SeverityOf(verdict, rule), Severity::kWarn) << rule;
  }
}

TEST(NeverBlocked, AnEmergencyDrainOfOneOfTwoThatSomebodyDeclares) {
  const model::Config base = WebWith(2);
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  candidate.pools[0].policy.single_backend = model::SingleBackend{"disk of web-1 fails", "ops"};
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, Hostile(candidate)).verdict), IsEmpty());
}

TEST(NeverBlocked, AnEmergencyDrainOfWhichNothingIsKnown) {
  const model::Config base = WebWith(3);
  model::Config candidate = base;
  candidate.pools[0].backends[0].state = model::AdminState::kDraining;
  Facts facts = Hostile(candidate);
  facts.live->changes = absl::DataLossError("corrupt");
  facts.live->traffic = absl::DataLossError("corrupt");
  facts.live->reach = absl::DataLossError("corrupt");
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
}

TEST(Blocked, ADrainThatEndsAFreezeOrCarriesAnotherChange) {
  model::Config base = WebWith(3);
  base.policy.freeze = {{0, model::kMaxUnixSeconds, "always"}};
  model::Config drained = base;
  drained.pools[0].backends[0].state = model::AdminState::kDraining;
  const Facts facts = LiveFactsFor(drained);
  ASSERT_THAT(BlockingRules(JudgeChange(&base, drained, facts).verdict), IsEmpty());
  model::Config ends = drained;
  ends.policy.freeze.clear();
  EXPECT_THAT(BlockingRules(JudgeChange(&base, ends, facts).verdict),
              ::testing::ElementsAre("LB016"));
  model::Config more = drained;
  more.pools[0].dscp.value = 10;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, more, facts).verdict),
              ::testing::ElementsAre("LB016"));
}

TEST(NeverBlocked, MendingABadStateOfAHostileDay) {
  const model::Config base = Degraded();
  EXPECT_THAT(BlockingRules(JudgeChange(&base, WebWith(4), Hostile(WebWith(4))).verdict),
              IsEmpty());
}

TEST(NeverBlocked, ReplacingTheServerOfADeclaredPoolThatHasAllTraffic) {
  const model::Config base = DeclaredSingle(1);
  model::Config candidate = base;
  candidate.pools[0].backends[0].address = Ip("10.9.9.9");
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic->vips["web"].packets = 1000;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
}

TEST(NeverBlocked, ARollbackOfAHostileDay) {
  model::Config running = WebWith(5);
  running.policy.freeze = {{0, model::kMaxUnixSeconds, "always"}};
  const auto before = Built(running);
  const Judgement judgement = JudgeRollback(Built(WebWith(4), before), before, Hostile(WebWith(4)));
  EXPECT_TRUE(judgement.approval.has_value());
}

}  // namespace
}  // namespace evenkeel::guard::testing
