// SPDX-License-Identifier: Apache-2.0
//
// Rules over one state: what each refuses, the nearest that passes, and that its fix works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Change = std::function<void(model::Config&)>;

struct Case {
  const char* name;
  const char* rule;
  size_t backends;
  Change refused;
  Change passing;
  const char* observed;
  const char* fix;
  bool by_hand = false;  // no edit of what is listed helps: the fix is words only
};

model::Backend& B(model::Config& config, size_t i) { return config.pools[0].backends[i]; }
void SetWeights(model::Config& config, std::vector<int64_t> weights) {
  for (size_t i = 0; i < weights.size(); ++i) B(config, i).weight = weights[i];
}
void SetCapacities(model::Config& config, std::vector<double> capacities) {
  for (size_t i = 0; i < capacities.size(); ++i) B(config, i).capacity = capacities[i];
}

class StateRule : public ::testing::TestWithParam<Case> {
 protected:
  // Judged as a first state, so that only rules over one state speak.
  model::Config Make(const Change& change) {
    model::Config config = WebWith(GetParam().backends);
    change(config);
    return config;
  }
  const Facts facts_{{Ip("10.0.0.1"), Ip("10.99.0.1")}};
};

TEST_P(StateRule, Refuses) {
  const Verdict verdict = JudgeChange(nullptr, Make(GetParam().refused), facts_).verdict;
  EXPECT_THAT(BlockingRules(verdict), Contains(GetParam().rule));
  const auto violations = ViolationsOf(verdict, GetParam().rule);
  ASSERT_FALSE(violations.empty());
  EXPECT_THAT(violations[0].observed, HasSubstr(GetParam().observed));
  EXPECT_THAT(violations[0].fix, HasSubstr(GetParam().fix));
}

TEST_P(StateRule, LetsTheNearestPass) {
  const Verdict verdict = JudgeChange(nullptr, Make(GetParam().passing), facts_).verdict;
  EXPECT_THAT(BlockingRules(verdict), Not(Contains(GetParam().rule)));
}

TEST_P(StateRule, ProposesWhatPasses) {
  const model::Config refused = Make(GetParam().refused);
  const model::Config fixed = ApplyFixes(nullptr, refused, GetParam().rule, facts_);
  ASSERT_EQ(fixed == refused, GetParam().by_hand);
  if (GetParam().by_hand) return;
  const Verdict verdict = JudgeChange(nullptr, fixed, facts_).verdict;
  EXPECT_THAT(BlockingRules(verdict), Not(Contains(GetParam().rule)));
}

const Case kShares[] = {
    {"share_of_three", "LB001", 3,
     [](auto& c) {
       SetWeights(c, {205, 100, 100});
     },
     [](auto& c) {
       SetWeights(c, {200, 100, 100});
     },
     "web-1 has 50.6 % of slots", "lower the weight of web-1 from 205 to at most 200"},
    {"share_of_two", "LB001", 2,
     [](auto& c) {
       SetWeights(c, {405, 100});
     },
     [](auto& c) {
       SetWeights(c, {400, 100});
     },
     "web-1 has 80.2 % of slots", "lower the weight of web-1 from 405 to at most 400"},
    {"share_against_capacity", "LB001", 4,
     [](auto& c) {
       SetCapacities(c, {1000, 4000, 4000, 4000});
     },
     [](auto& c) {
       SetCapacities(c, {2000, 4000, 4000, 4000});
     },
     "web-1 has 25.0 % of slots, its capacity-weighted share is 7.7 %",
     "lower the weight of web-1 from 100 to at most 54"},
    {"two_above_capacity", "LB001", 4,
     [](auto& c) {
       SetCapacities(c, {1000, 1000, 9000, 9000});
     },
     [](auto& c) {
       SetCapacities(c, {4000, 4000, 9000, 9000});
     },
     "has 25.0 % of slots", "lower the weight of web-1 from 100 to at most"},
    {"nothing_serves", "LB003", 2,
     [](auto& c) {
       SetWeights(c, {0, 0});
     },
     [](auto&) {}, "0 serving", "keep at least 2 of web-1, web-2 enabled"},
    {"one_serves", "LB003", 3,
     [](auto& c) { B(c, 0).state = B(c, 1).state = model::AdminState::kDisabled; },
     [](auto& c) { B(c, 0).state = model::AdminState::kDisabled; }, "1 serving",
     "keep at least 2 of web-1..web-3 enabled, or declare policy.single_backend"},
    {"no_backends", "LB003", 0, [](auto&) {}, [](auto& c) { c.pools[0] = MakePool("web", 2); },
     "0 serving", "add 2 backends", true},
};

const Case kWeights[] = {
    {"weight_negative", "LB007", 4, [](auto& c) { B(c, 1).weight = -1; },
     [](auto& c) { B(c, 1).weight = 0; }, "weight -1",
     "raise the weight of web-2 from -1 to at least 0"},
    {"weight_above_1000", "LB007", 2,
     [](auto& c) {
       SetWeights(c, {1001, 500});
     },
     [](auto& c) {
       SetWeights(c, {1000, 500});
     },
     "weight 1001", "lower the weight of web-1 from 1001 to at most 1000"},
    {"weight_2_to_the_32", "LB007", 4, [](auto& c) { B(c, 2).weight = int64_t{1} << 32; },
     [](auto& c) { B(c, 2).weight = 1000; }, "weight 4294967296", "web-3: "},
    {"weight_most_negative", "LB007", 4,
     [](auto& c) { B(c, 2).weight = std::numeric_limits<int64_t>::min(); },
     [](auto& c) { B(c, 2).weight = 0; }, "weight -9223372036854775808", "0 drains"},
    {"ratio_21", "LB007", 5, [](auto& c) { B(c, 4).weight = 4; },
     [](auto& c) { B(c, 4).weight = 5; }, "web-1 weighs 100, web-5 4: 25 : 1",
     "raise the weight of web-5 from 4 to at least 5"},
};

const Case kAddresses[] = {
    {"server_thrice", "LB008", 4,
     [](auto& c) { B(c, 1).address = B(c, 2).address = B(c, 0).address; }, [](auto&) {},
     "10.0.1.11 is listed 3 times: web-1..web-3", "remove web-2, web-3"},
    {"duplicate_while_draining", "LB008", 3,
     [](auto& c) {
       B(c, 1).address = B(c, 0).address;
       B(c, 1).state = model::AdminState::kDraining;
     },
     [](auto& c) { B(c, 1).state = model::AdminState::kDraining; }, "is listed 2 times",
     "remove web-2, or give it its own address"},
    {"backend_is_a_vip", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("192.0.2.10"); },
     [](auto& c) { B(c, 1).address = Ip("192.0.2.11"); }, "192.0.2.10 is the address of a VIP",
     "give web-2 the address of its server"},
    {"own_address", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("10.99.0.1"); },
     [](auto& c) { B(c, 1).address = Ip("10.99.0.2"); }, "is an address of this host", "web-2"},
    {"loopback", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("127.0.0.2"); },
     [](auto& c) { B(c, 1).address = Ip("128.0.0.2"); }, "is a loopback address", "web-2"},
    {"multicast", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("224.0.0.2"); },
     [](auto& c) { B(c, 1).address = Ip("223.0.0.2"); }, "is a multicast address", "web-2"},
    {"link_local", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("169.254.0.2"); },
     [](auto& c) { B(c, 1).address = Ip("169.253.0.2"); }, "is a link-local address", "web-2"},
    {"unspecified", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("0.0.0.0"); },
     [](auto& c) { B(c, 1).address = Ip("1.0.0.0"); }, "is unspecified", "web-2"},
    {"broadcast", "LB009", 3, [](auto& c) { B(c, 1).address = Ip("255.255.255.255"); },
     [](auto&) {}, "is the broadcast address", "web-2"},
    {"six_in_four", "LB009", 3, [](auto& c) { c.vips[0].address = Ip("2001:db8::10"); },
     [](auto& c) {
       c.vips[0].address = Ip("2001:db8::10");
       for (size_t i = 0; i < 3; ++i)
         B(c, i).address = Ip(("2001:db8::b" + std::to_string(i)).c_str());
     },
     "IPv6 VIP over IPv4 backends web-1..web-3 by ipip: wrong family",
     "give the VIP a pool of IPv6"},
    {"l2_across_families", "LB009", 3,
     [](auto& c) {
       c.pools[0].forwarding = model::Forwarding::kL2;
       B(c, 2).address = Ip("2001:db8::b");
     },
     [](auto& c) { B(c, 2).address = Ip("2001:db8::b"); },  // 4in6 by ipip
     "IPv4 VIP over IPv6 backend web-3 by l2", "IPv4 backends"},
    {"vip_multicast", "LB009", 3, [](auto& c) { c.vips[0].address = Ip("239.0.0.1"); },
     [](auto&) {}, "239.0.0.1 is a multicast address", "give the VIP a unicast address", true},
    {"five_thousand_backends", "LB017", 5000, [](auto&) {},
     [](auto& c) { c.pools[0].table_size = 500009; }, "65537 slots for 5000 backends",
     "set table_size: 500009 or more, or list at most 655 backends"},
    {"more_backends_than_slots", "LB017", 300, [](auto& c) { c.pools[0].table_size = 251; },
     [](auto& c) { c.pools[0].table_size = 30011; }, "251 slots for 300 backends",
     "set table_size: 30011"},
    {"more_than_any_table", "LB017", 6554, [](auto& c) { c.pools[0].table_size = 655373; },
     [](auto& c) {
       c.pools[0].table_size = 655373;
       c.pools[0].backends.pop_back();
     },
     "655373 slots for 6554 backends", "split the pool: at most 6553 backends", true},
};

std::string NameOf(const ::testing::TestParamInfo<Case>& test) { return test.param.name; }
INSTANTIATE_TEST_SUITE_P(Shares, StateRule, ::testing::ValuesIn(kShares), NameOf);
INSTANTIATE_TEST_SUITE_P(Weights, StateRule, ::testing::ValuesIn(kWeights), NameOf);
INSTANTIATE_TEST_SUITE_P(Addresses, StateRule, ::testing::ValuesIn(kAddresses), NameOf);

TEST(StateRules, WarnBelowTheBlock) {
  model::Config config = WebWith(20);
  B(config, 0).weight = 1000;
  SetWeights(config, {1000});
  for (size_t i = 1; i < 20; ++i) B(config, i).weight = 90;
  EXPECT_EQ(SeverityOf(JudgeChange(nullptr, config).verdict, "LB007"), Severity::kWarn);
  config = WebWith(4);
  SetCapacities(config, {700, 1000, 1000, 1000});  // 25 % against 18.9 %: 1.32x
  const Verdict verdict = JudgeChange(nullptr, config).verdict;
  EXPECT_EQ(verdict.severity, Severity::kWarn);
  const auto violations = ViolationsOf(verdict, "LB001");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_THAT(violations[0].fix, HasSubstr("lower the weight of web-1"));
}

// A table that no configuration builds: the guard does not trust the builder.
std::shared_ptr<BuiltFleet> WithTable(const model::Config& config,
                                      const std::function<void(BuiltTable&)>& spoil,
                                      bool fix_digest = true) {
  auto fleet = std::make_shared<BuiltFleet>(*Built(config));
  auto pool = std::make_shared<BuiltPool>(*fleet->pools[0]);
  auto table = std::make_shared<BuiltTable>(*pool->table);
  spoil(*table);
  if (fix_digest) pool->digest = table->ComputeDigest();
  pool->table = table;
  fleet->pools[0] = pool;
  return fleet;
}

std::vector<std::string> Blocked(std::shared_ptr<const BuiltFleet> fleet) {
  return BlockingRules(Judge(fleet, nullptr, {}).verdict);
}

TEST(TableIntent, RefusesALopsidedTableOfEqualWeights) {
  const auto lopsided = WithTable(
      WebWith(4), [](BuiltTable& t) { std::fill(t.owner.begin(), t.owner.end(), uint16_t{0}); });
  EXPECT_THAT(Blocked(lopsided), ElementsAre("LB001", "LB002"));
}

TEST(TableIntent, RefusesTablesOfAnotherForm) {
  const auto config = WebWith(4);
  EXPECT_THAT(Blocked(WithTable(config, [](auto& t) { t.owner[7] = maglev::kNoOwner; })),
              ElementsAre("LB002"));
  EXPECT_THAT(Blocked(WithTable(config, [](auto& t) { t.owner[7] = 4; })), ElementsAre("LB002"));
  EXPECT_THAT(Blocked(WithTable(config, [](auto& t) { t.owner.pop_back(); })),
              ElementsAre("LB002"));
  EXPECT_THAT(Blocked(WithTable(config, [](auto& t) { t.servers[0] = Ip("10.66.66.66"); })),
              Contains("LB002"));
  EXPECT_THAT(Blocked(WithTable(config, [](auto& t) { t.forwarding = model::Forwarding::kL2; })),
              ElementsAre("LB002"));
}

TEST(TableIntent, RefusesATableUnderAnothersDigest) {
  const auto swapped = WithTable(
      WebWith(4), [](auto& t) { std::swap(t.owner[1], t.owner[2]); }, false);
  EXPECT_THAT(Blocked(swapped), ElementsAre("LB002"));
}

TEST(TableIntent, ToleratesTwoSlots) {
  const auto shifted = WithTable(WebWith(4), [](BuiltTable& t) {
    int moved = 0;
    for (auto& owner : t.owner) {
      if (owner == 0 && moved < 1) owner = 1, ++moved;
    }
  });
  EXPECT_THAT(Blocked(shifted), ::testing::IsEmpty());
}

}  // namespace
}  // namespace evenkeel::guard::testing
