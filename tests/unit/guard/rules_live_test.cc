// SPDX-License-Identifier: Apache-2.0
//
// Rules that need a daemon: LB010, LB014, LB015, LB016 and LB018.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "control/guard/entry.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;

// Two pools of four; the change is a weight of "web".
model::Config Base() {
  model::Config config = WebWith(4);
  config.pools.push_back(MakePool("api", 4, 7));
  config.vips.push_back({"api", Ip("192.0.2.11"), 443, model::Protocol::kTcp, "api"});
  return config;
}
void Reweigh(model::Config& c) { c.pools[0].backends[0].weight = 90; }
void AddTwo(model::Config& c) {
  c.pools[0] = MakePool("web", 6);
  c.pools[0].backends[4].weight = c.pools[0].backends[5].weight = 60;
}
void RemoveApi(model::Config& c) {
  c.pools.pop_back();
  c.vips.pop_back();
}
void Unreachable(Facts& facts, const char* address) {
  (*facts.live->reach)[Ip(address)] = {false, std::string("no route to ") + address};
}
void Changed(Facts& facts, const char* pool, int64_t seconds_ago) {
  facts.live->changes->push_back({pool, 7, kNow - seconds_ago * kSecond});
}

struct Case {
  const char* name;
  const char* rule;
  std::function<void(model::Config&)> change;
  std::function<void(Facts&)> refused;
  std::function<void(Facts&)> passing;
  const char* observed;
  const char* fix;
};

class LiveRule : public ::testing::TestWithParam<Case> {
 protected:
  LiveRule() : candidate_(base_) { GetParam().change(candidate_); }

  Facts FactsWith(const std::function<void(Facts&)>& set) const {
    Facts facts = LiveFactsFor(candidate_);
    set(facts);
    return facts;
  }

  const model::Config base_ = Base();
  model::Config candidate_;
};

TEST_P(LiveRule, Refuses) {
  const Verdict verdict = JudgeChange(&base_, candidate_, FactsWith(GetParam().refused)).verdict;
  ASSERT_THAT(BlockingRules(verdict), ElementsAre(GetParam().rule));
  EXPECT_THAT(verdict.violations[0].observed, HasSubstr(GetParam().observed));
  EXPECT_THAT(verdict.violations[0].fix, HasSubstr(GetParam().fix));
}

TEST_P(LiveRule, LetsTheNearestPass) {
  const Verdict verdict = JudgeChange(&base_, candidate_, FactsWith(GetParam().passing)).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
}

TEST_P(LiveRule, SaysThatItIsNotJudgedWithoutADaemon) {
  const Verdict verdict = JudgeChange(&base_, candidate_).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
  for (const RuleResult& result : verdict.results) {
    if (result.rule != GetParam().rule) continue;
    EXPECT_EQ(result.severity, Severity::kPass);
    EXPECT_EQ(result.observed, "not judged without a daemon");
  }
}

TEST_P(LiveRule, DoesNotHoldUpAStateThatStays) {
  const Verdict verdict = JudgeChange(&base_, base_, FactsWith(GetParam().refused)).verdict;
  EXPECT_THAT(BlockingRules(verdict), IsEmpty());
}

TEST_P(LiveRule, DoesNotHoldUpTheFirstState) {
  Facts facts = FactsWith(GetParam().refused);
  facts.host_policy.freeze = {{0, model::kMaxUnixSeconds, "forever"}};
  EXPECT_THAT(BlockingRules(JudgeChange(nullptr, candidate_, facts).verdict), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Guard, LiveRule,
    ::testing::Values(
        Case{"none_entering_is_reached", "LB010", AddTwo,
             [](Facts& f) { Unreachable(f, "10.0.1.15"), Unreachable(f, "10.0.1.16"); },
             [](Facts& f) { Unreachable(f, "10.0.1.15"); },
             "web-5, web-6 (all that enter) cannot be reached: no route to 10.0.1.15",
             "give web-5, web-6 weight: 0 until they answer"},
        Case{"reach_is_not_known", "LB010", AddTwo,
             [](Facts& f) { f.live->reach = absl::UnavailableError("netlink: no buffer space"); },
             [](Facts&) {}, "it is not known which servers can be reached: netlink", "try again"},
        Case{"reach_of_one_is_not_known", "LB010",
             [](model::Config& c) {
               c.pools[0] = MakePool("web", 5);
               c.pools[0].backends[4].weight = 60;
             },
             [](Facts& f) { f.live->reach->clear(); }, [](Facts&) {},
             "nothing is known about its route", "weight: 0 until it answers"},
        Case{"pending", "LB014", Reweigh, [](Facts& f) { f.live->pending_revision = 42; },
             [](Facts& f) { f.live->pending_revision = 0; }, "revision 42 awaits its confirmation",
             "evenkeel confirm"},
        Case{"too_soon", "LB014", Reweigh, [](Facts& f) { Changed(f, "web", 29); },
             [](Facts& f) { Changed(f, "web", 30), Changed(f, "api", 1); },
             "the pool changed 29 s ago", "try again in 1 s"},
        Case{"too_often", "LB014", Reweigh,
             [](Facts& f) {
               for (int i = 1; i <= 10; ++i) Changed(f, "web", i * 300);
             },
             [](Facts& f) {
               for (int i = 1; i <= 9; ++i) Changed(f, "web", i * 300);
               Changed(f, "web", 3600);
             },
             "10 changes of the pool in the last hour", "try again in 600 s"},
        Case{"changes_are_not_known", "LB014", Reweigh,
             [](Facts& f) { f.live->changes = absl::DataLossError("history.db is corrupt"); },
             [](Facts& f) { Changed(f, "web", -5); },  // the clock was set back
             "it is not known what changed in the last hour: history.db is corrupt", "try again"},
        Case{"vip_with_traffic", "LB015", RemoveApi,
             [](Facts& f) { f.live->traffic->vips["api"] = {.packets = 3}; },
             [](Facts& f) {
               f.live->traffic->vips["api"] = {.last_packet_unix_ns = kNow - 300 * kSecond};
             },
             "VIP api would go, with 3 packets", "--allow-live"},
        Case{"vip_with_a_late_packet", "LB015", RemoveApi,
             [](Facts& f) {
               f.live->traffic->vips["api"] = {.last_packet_unix_ns = kNow - 299 * kSecond};
             },
             [](Facts& f) { f.live->traffic->pools["api"] = 9; }, "VIP api would go",
             "--allow-live"},
        Case{"freeze_of_the_host", "LB016", Reweigh,
             [](Facts& f) {
               f.host_policy.freeze = {{kNow / kSecond, kNow / kSecond + 60, "launch"}};
             },
             [](Facts& f) {
               f.host_policy.freeze = {{kNow / kSecond - 60, kNow / kSecond, "launch"}};
             },
             "frozen by this host's policy until 2027-01-01T12:01:00Z: launch",
             "apply it after 2027-01-01T12:01:00Z"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Reachability, OfServersThatRanBeforeIsNotJudged) {
  const model::Config base = Base();
  model::Config candidate = base;
  Reweigh(candidate);
  Facts facts = LiveFactsFor(candidate);
  for (const auto& b : base.pools[0].backends) (*facts.live->reach)[b.address].reachable = false;
  EXPECT_EQ(JudgeChange(&base, candidate, facts).verdict.severity, Severity::kPass);
}

TEST(Reachability, OfSomeThatEnterWarnsAndNamesThem) {
  const model::Config base = Base();
  model::Config candidate = base;
  AddTwo(candidate);
  Facts facts = LiveFactsFor(candidate);
  (*facts.live->reach)[Ip("10.0.1.16")] = {false, "the path takes 1400 bytes"};
  const auto violations = ViolationsOf(JudgeChange(&base, candidate, facts).verdict, "LB010");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].subject, "pools/web/backends/web-6");
  EXPECT_THAT(violations[0].observed, HasSubstr("1 of 2 that enter"));
  EXPECT_THAT(violations[0].observed, HasSubstr("1400 bytes"));
}

class WaitingTest : public ::testing::Test {
 protected:
  WaitingTest() { AddTwo(candidate_); }
  std::vector<Waiting> Find(const Facts& facts) const {
    return FindWaiting(*Built(candidate_), *Built(base_), facts);
  }
  Facts WithoutWebSix() const {
    Facts facts = LiveFactsFor(candidate_);
    Unreachable(facts, "10.0.1.16");
    return facts;
  }

  model::Config base_ = Base(), candidate_ = base_;
};

TEST_F(WaitingTest, WhoCannotBeReachedWaitsIfAnotherEnters) {
  const auto waiting = Find(WithoutWebSix());
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].pool, 0u);
  EXPECT_EQ(waiting[0].backend, 5u);
  EXPECT_EQ(waiting[0].problem, "no route to 10.0.1.16");
  model::Config changed = candidate_;
  SetWaiting(waiting, &changed);
  EXPECT_EQ(changed.pools[0].backends[5].weight, 0);
  changed.pools[0].backends[5].weight = 60;
  EXPECT_EQ(changed, candidate_) << "nothing else";
}

TEST_F(WaitingTest, NobodyWaitsWhereNobodyEntersOrNothingIsKnown) {
  Facts none = WithoutWebSix();
  Unreachable(none, "10.0.1.15");
  EXPECT_THAT(Find(none), IsEmpty()) << "that is refused";
  Facts unknown = LiveFactsFor(candidate_);
  unknown.live->reach = absl::UnavailableError("netlink");
  EXPECT_THAT(Find(unknown), IsEmpty());
  EXPECT_THAT(Find(Facts{}), IsEmpty());
  EXPECT_THAT(Find(LiveFactsFor(candidate_)), IsEmpty());
}

// The same file again, while it does not answer.
TEST_F(WaitingTest, WhoWaitsAlreadyGoesOnWaiting) {
  base_ = candidate_;
  base_.pools[0].backends[5].weight = 0;
  EXPECT_EQ(Find(WithoutWebSix()).size(), 1u);
  base_.pools[0].backends.pop_back();
  EXPECT_THAT(Find(WithoutWebSix()), IsEmpty()) << "new, and alone: refused";
}

TEST_F(WaitingTest, WhoServesAlreadyDoesNotWait) {
  Facts facts = LiveFactsFor(candidate_);
  Unreachable(facts, "10.0.1.11");
  EXPECT_THAT(Find(facts), IsEmpty());
}

TEST_F(WaitingTest, NorDoesAPoolWithAnExceptionOrWithoutTraffic) {
  candidate_.pools[0].policy.exceptions = {{.rule = "LB010", .reason = "lab", .owner = "ann"}};
  EXPECT_THAT(Find(WithoutWebSix()), IsEmpty());
  candidate_.pools[0].policy.exceptions.clear();
  base_.vips.erase(base_.vips.begin());
  candidate_.vips.erase(candidate_.vips.begin());
  EXPECT_THAT(Find(WithoutWebSix()), IsEmpty());
}

TEST(Reachability, OfAPoolThatAVipIsLedTo) {
  model::Config base = Base();
  base.pools.push_back(MakePool("spare", 4, 9));
  model::Config candidate = base;
  candidate.vips.push_back({"new", Ip("192.0.2.12"), 443, model::Protocol::kTcp, "spare"});
  Facts facts = LiveFactsFor(candidate);
  for (const auto& b : base.pools[2].backends) (*facts.live->reach)[b.address].reachable = false;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), ElementsAre("LB010"));
  candidate = base;
  candidate.pools[2].backends[0].weight = 90;  // nobody's traffic
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
}

TEST(LiveRemoval, MayBeAllowed) {
  const model::Config base = Base();
  model::Config candidate = base;
  RemoveApi(candidate);
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic->vips["api"].packets = 3;
  const Verdict verdict = JudgeChange(&base, candidate, facts, {.allow_live = true}).verdict;
  EXPECT_EQ(SeverityOf(verdict, "LB015"), Severity::kWarn);
  EXPECT_THAT(ViolationsOf(verdict, "LB015")[0].limit, HasSubstr("allowed by --allow-live"));
  EXPECT_EQ(ApplyFixes(&base, candidate, "LB015", facts), base);
}

TEST(LiveRemoval, OfAPoolWhoseVipJustLeft) {
  model::Config base = Base();
  base.vips[1].pool = "web";
  model::Config candidate = base;
  candidate.pools.pop_back();
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic->pools["api"] = 12;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), ElementsAre("LB015"));
  facts.live->traffic->pools["api"] = 0;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
}

TEST(LiveRemoval, ARenamedVipOrPoolStays) {
  const model::Config base = Base();
  model::Config candidate = base;
  candidate.vips[1].name = "renamed";
  candidate.pools[1].name = candidate.vips[1].pool = "new-name";
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic->vips["api"].packets = 3;
  facts.live->traffic->pools["api"] = 3;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
}

const std::vector<model::Freeze> kFrozen = {{kNow / kSecond - 60, kNow / kSecond + 60, "launch"}};

TEST(Freeze, CannotBeEndedByTheChangeThatItHoldsUp) {
  model::Config base = Base();
  base.policy.freeze = kFrozen;
  model::Config candidate = base;
  Reweigh(candidate);
  candidate.policy.freeze.clear();
  const Facts facts = LiveFactsFor(candidate);
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), ElementsAre("LB016"));
  candidate = base;
  candidate.policy.freeze.clear();
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), ElementsAre("LB016"));
  // Nor does one begin with the change that declares it.
  base.policy.freeze.clear();
  candidate.policy.freeze = kFrozen;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
}

TEST(Freeze, OfAPoolHoldsUpThatPool) {
  model::Config base = Base();
  base.pools[1].policy.freeze = kFrozen;
  model::Config candidate = base;
  Reweigh(candidate);
  const Facts facts = LiveFactsFor(candidate);
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), IsEmpty());
  candidate.pools[1].backends[0].weight = 90;
  const Verdict verdict = JudgeChange(&base, candidate, facts).verdict;
  ASSERT_THAT(BlockingRules(verdict), ElementsAre("LB016"));
  EXPECT_EQ(verdict.violations[0].pool, "api");
}

// web's first server is also in api; both pools have the same traffic.
struct SharedCase {
  const char* name;
  int64_t weight_in_web, weight_in_api;
  bool refused;
};

class FleetShare : public ::testing::TestWithParam<SharedCase> {};

TEST_P(FleetShare, CountsAServerOverAllPools) {
  model::Config base = Base();
  base.pools[0] = MakePool("web", 9);
  base.pools[1] = MakePool("api", 9, 7);
  base.pools[1].backends[0].address = base.pools[0].backends[0].address;
  model::Config candidate = base;
  candidate.pools[0].backends[0].weight = GetParam().weight_in_web;
  candidate.pools[1].backends[0].weight = GetParam().weight_in_api;
  for (model::Pool& pool : candidate.pools) {  // only LB018 is of interest
    pool.policy.exceptions = {{"LB001", "test", "test"}, {"LB006", "test", "test"}};
  }
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic->vips["web"].packets = 1000;
  facts.live->traffic->vips["api"].packets = 1000;
  const Verdict verdict = JudgeChange(&base, candidate, facts).verdict;
  EXPECT_EQ(verdict.refused(), GetParam().refused);
  if (!verdict.refused()) return;
  ASSERT_THAT(BlockingRules(verdict), ElementsAre("LB018"));
  EXPECT_THAT(verdict.violations[0].observed,
              HasSubstr("10.0.1.11 (web/web-1, api/api-1) would get"));
}

INSTANTIATE_TEST_SUITE_P(Guard, FleetShare,
                         ::testing::Values(SharedCase{"both", 990, 990, true},
                                           SharedCase{"half_of_all", 800, 800, false},
                                           SharedCase{"one_pool", 990, 100, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(LiveRemoval, CannotBeJudgedWithoutCounters) {
  const model::Config base = Base();
  model::Config candidate = base;
  RemoveApi(candidate);
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic = absl::InternalError("counters cannot be read");
  const Verdict verdict = JudgeChange(&base, candidate, facts).verdict;
  ASSERT_THAT(BlockingRules(verdict), ElementsAre("LB015", "LB018"));
  EXPECT_THAT(verdict.violations[0].observed, HasSubstr("counters cannot be read"));
}

TEST(FleetShare, CannotBeJudgedWithoutCounters) {
  const model::Config base = Base();
  model::Config candidate = base;
  Reweigh(candidate);
  Facts facts = LiveFactsFor(candidate);
  facts.live->traffic = absl::InternalError("counters cannot be read");
  EXPECT_THAT(BlockingRules(JudgeChange(&base, candidate, facts).verdict), ElementsAre("LB018"));
}

}  // namespace
}  // namespace evenkeel::guard::testing
