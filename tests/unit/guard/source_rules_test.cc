// SPDX-License-Identifier: Apache-2.0
//
// Source rules as they are published, and LB019.
#include "control/guard/source_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/guard/states.h"

namespace evenkeel::guard::testing {
namespace {

using model::Family;
using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

model::Prefix P(const std::string& text) { return model::Prefix::Parse(text).value(); }

model::SourceRules Rules(const std::vector<std::string>& deny,
                         const std::vector<std::string>& allow = {},
                         model::SourceAction fallback = model::SourceAction::kAllow) {
  model::SourceRules rules;
  rules.name = "own";
  rules.fallback = fallback;
  for (const std::string& text : deny) rules.deny.push_back(P(text));
  for (const std::string& text : allow) rules.allow.push_back(P(text));
  return rules;
}
constexpr auto kDeny = model::SourceAction::kDeny;

std::string Text(const SourceRuleList& rules) {
  std::string text;
  for (const SourceRule& rule : rules) {
    text += (text.empty() ? "" : " ") + std::string(rule.deny ? "-" : "+") + rule.prefix.ToString();
  }
  return text;
}

TEST(SourceRuleListTest, IsSortedOnceAndComplete) {
  EXPECT_EQ(Text(ListOf(Rules({}))), "+0.0.0.0/0 +::/0");
  EXPECT_EQ(Text(ListOf(Rules({}, {}, kDeny))), "-0.0.0.0/0 -::/0");
  EXPECT_EQ(Text(ListOf(
                Rules({"10.0.0.0/8", "2001:db8::/32", "9.0.0.0/8", "10.0.0.0/8"}, {"10.0.0.0/9"}))),
            "+0.0.0.0/0 -9.0.0.0/8 -10.0.0.0/8 +10.0.0.0/9 +::/0 -2001:db8::/32");
  EXPECT_EQ(Text(ListOf(Rules({"0.0.0.0/0"}, {"::/0"}, kDeny))), "-0.0.0.0/0 +::/0")
      << "what is written wins over the default";
}

TEST(SourceRuleListTest, DigestsTellSetsApart) {
  const auto digest = [](const model::SourceRules& rules) {
    return BuildRules(rules)->digest.ToHex();
  };
  const std::string one = digest(Rules({"10.0.0.0/8", "11.0.0.0/8"}));
  EXPECT_EQ(digest(Rules({"11.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"})), one);
  EXPECT_NE(digest(Rules({}, {"10.0.0.0/8", "11.0.0.0/8"})), one);
  EXPECT_NE(digest(Rules({"10.0.0.0/8"})), one);
  EXPECT_NE(digest(Rules({"10.0.0.0/9", "11.0.0.0/8"})), one);
  EXPECT_NE(digest(Rules({"10.0.0.0/8", "11.0.0.0/8"}, {}, kDeny)), one);
}

// A walk over all prefixes, bit by bit.
bool Oracle(const BuiltRules& built, const model::IpAddress& source) {
  const auto bit = [](const model::IpAddress& a, int i) {
    return a.bytes()[i / 8] >> (7 - i % 8) & 1;
  };
  int best = -1;
  bool deny = false;
  for (const SourceRule& rule : built.rules) {
    if (rule.prefix.address.family() != source.family()) continue;
    int same = 0;
    while (same < rule.prefix.length && bit(rule.prefix.address, same) == bit(source, same)) ++same;
    if (same < rule.prefix.length || same <= best) continue;
    best = same;
    deny = rule.deny;
  }
  return deny;
}

// Few distinct bytes, so that prefixes nest.
model::IpAddress RandomAddress(std::mt19937& random, bool v4) {
  const auto byte = [&] { return static_cast<uint8_t>(random() % 4 * 85); };
  if (v4) return model::IpAddress::FromIpv4({byte(), byte(), byte(), byte()});
  std::array<uint8_t, 16> bytes{};
  for (const size_t i : {0, 1, 6, 7, 14, 15}) bytes[i] = byte();
  return model::IpAddress::FromIpv6(bytes);
}

model::SourceRules RandomRules(std::mt19937& random, bool v4, int count) {
  model::SourceRules rules = Rules({}, {}, random() % 2 ? kDeny : model::SourceAction::kAllow);
  std::set<model::Prefix> seen;
  for (int i = 0; i < count; ++i) {
    const auto prefix = model::Prefix::Of(RandomAddress(random, v4),
                                          static_cast<uint8_t>(random() % (v4 ? 33 : 129)));
    if (seen.insert(prefix).second) (random() % 2 ? rules.deny : rules.allow).push_back(prefix);
  }
  return rules;
}

TEST(SourceRuleListTest, TheLongestPrefixDecides) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    const bool v4 = round % 2;
    const auto built = BuildRules(RandomRules(random, v4, 60));
    for (int i = 0; i < 200; ++i) {
      const model::IpAddress source = RandomAddress(random, v4);
      ASSERT_EQ(built->Denies(source), Oracle(*built, source)) << source.ToString();
    }
  }
}

TEST(SourceAccessTest, FindsClientsOfBothKinds) {
  std::mt19937 random(8);
  int none = 0, both = 0;
  for (int round = 0; round < 200; ++round) {
    const bool v4 = round % 2;
    const Family family = v4 ? Family::kIpv4 : Family::kIpv6;
    const auto global = BuildRules(RandomRules(random, v4, round % 7));
    const auto own = BuildRules(RandomRules(random, v4, round % 11));
    const SourceAccess access{round % 3 ? global.get() : nullptr, own.get()};
    const auto admitted = FindAdmitted(access, family), denied = FindDenied(access, family);
    EXPECT_FALSE(admitted && access.Denies(*admitted)) << admitted->ToString();
    EXPECT_TRUE(!denied || access.Denies(*denied)) << denied->ToString();
    ASSERT_TRUE(admitted || denied);
    (admitted && denied ? both : none)++;
    for (int i = 0; i < 50; ++i) {
      const bool is_denied = access.Denies(RandomAddress(random, v4));
      EXPECT_TRUE(is_denied ? denied.has_value() : admitted.has_value());
    }
  }
  EXPECT_GT(none, 10);
  EXPECT_GT(both, 10);
}

struct ShareCase {
  const char* name;
  std::vector<std::string> deny, allow;
  model::SourceAction fallback;
  double v4, v6;
};

TEST(SourceAccessTest, CountsAddresses) {
  const auto allow = model::SourceAction::kAllow;
  for (const ShareCase& c : {
           ShareCase{"open", {}, {}, allow, 1, 1},
           ShareCase{"closed", {}, {}, kDeny, 0, 0},
           ShareCase{"half", {"0.0.0.0/1", "3000::/4"}, {}, allow, 0.5, 0.5},
           ShareCase{"two halves", {"0.0.0.0/1", "128.0.0.0/1"}, {}, allow, 0, 1},
           ShareCase{"nested",
                     {"0.0.0.0/1", "10.0.0.0/16"},
                     {"10.0.0.0/8"},
                     allow,
                     0.5 + 1 / 256.0 - 1 / 65536.0,
                     1},
           ShareCase{"to the end", {"255.255.255.255/32", "240.0.0.0/4"}, {}, allow, 15 / 16.0, 1},
           ShareCase{"few",
                     {},
                     {"192.0.2.0/24", "2001:db8::/32"},
                     kDeny,
                     256 / 4294967296.0,
                     1 / 536870912.0},
           ShareCase{"outside of global unicast", {"fc00::/7", "::/3"}, {}, allow, 1, 1},
       }) {
    const auto built = BuildRules(Rules(c.deny, c.allow, c.fallback));
    const SourceAccess access{nullptr, built.get()};
    EXPECT_THAT(AdmittedShare(access, Family::kIpv4), DoubleNear(c.v4, 1e-9)) << c.name;
    EXPECT_THAT(AdmittedShare(access, Family::kIpv6), DoubleNear(c.v6, 1e-9)) << c.name;
    EXPECT_THAT(NewlyDeniedShare({}, access, Family::kIpv4), DoubleNear(1 - c.v4, 1e-9)) << c.name;
  }
}

TEST(SourceAccessTest, WhatWasDeniedBeforeIsNotNew) {
  const auto before = BuildRules(Rules({"0.0.0.0/1"}));
  const auto after = BuildRules(Rules({"0.0.0.0/1", "128.0.0.0/2"}));
  const SourceAccess a{nullptr, before.get()}, b{after.get(), before.get()};
  EXPECT_DOUBLE_EQ(NewlyDeniedShare(a, b, Family::kIpv4), 0.5);
  EXPECT_DOUBLE_EQ(NewlyDeniedShare(b, a, Family::kIpv4), 0);
  EXPECT_DOUBLE_EQ(NewlyDeniedShare(b, b, Family::kIpv4), 0);
}

model::Config WithRules(const model::SourceRules& own) {
  model::Config config = WebWith(4);
  config.source_rules = {own};
  config.vips[0].source_rules = "own";
  return config;
}

model::SourceRules Declared(model::SourceRules rules) {
  rules.lockdown = {"internal service", "edge"};
  return rules;
}

struct RuleCase {
  const char* name;
  model::SourceRules rules;
  bool at_first, in_an_update;  // refused
  const char* observed;
};

class SourceAccessRule : public ::testing::TestWithParam<RuleCase> {};

TEST_P(SourceAccessRule, Judges) {
  const RuleCase& c = GetParam();
  const model::Config base = WithRules(Rules({"203.0.113.0/24"}));
  const Verdict first = JudgeChange(nullptr, WithRules(c.rules)).verdict;
  const Verdict update = JudgeChange(&base, WithRules(c.rules)).verdict;
  EXPECT_EQ(SeverityOf(first, "LB019") == Severity::kBlock, c.at_first);
  EXPECT_EQ(SeverityOf(update, "LB019") == Severity::kBlock, c.in_an_update);
  if (!c.in_an_update) {
    EXPECT_THAT(BlockingRules(update), IsEmpty());
    return;
  }
  const auto all = ViolationsOf(update, "LB019");
  EXPECT_EQ(all.size(), c.at_first ? 2u : 1u);
  const Violation& violation = all.front();
  EXPECT_THAT(violation.observed, HasSubstr(c.observed));
  EXPECT_EQ(violation.subject, "vips/web");
  EXPECT_EQ(violation.field, "vips[0]");
  EXPECT_THAT(violation.fix, HasSubstr("lockdown: {reason, owner}"));
}

INSTANTIATE_TEST_SUITE_P(
    All, SourceAccessRule,
    ::testing::Values(
        RuleCase{"a_network", Rules({"198.51.100.0/24"}), false, false, ""},
        RuleCase{"an_eighth", Rules({"32.0.0.0/3"}), false, false, ""},
        RuleCase{"half", Rules({"0.0.0.0/1"}), false, true, "50.0 % of the IPv4 addresses"},
        RuleCase{"all", Rules({"0.0.0.0/0"}), true, true, "100.0 % of the IPv4 addresses"},
        RuleCase{"all_in_parts", Rules({"0.0.0.0/1", "128.0.0.0/1"}), true, true, "100.0 %"},
        RuleCase{"default_deny", Rules({}, {}, kDeny), true, true, "100.0 %"},
        RuleCase{"default_deny_for_few", Rules({}, {"10.0.0.0/8"}, kDeny), false, true, "99.6 %"},
        RuleCase{"the_other_family", Rules({"::/0"}), false, false, ""},
        RuleCase{"declared", Declared(Rules({}, {"10.0.0.0/8"}, kDeny)), false, false, ""},
        RuleCase{"declared_for_nobody", Declared(Rules({}, {}, kDeny)), false, false, ""}),
    [](const auto& test) { return test.param.name; });

TEST(SourceAccessRuleTest, WhatRunsNowDoesNotBlockOtherChanges) {
  const model::Config base = WithRules(Rules({}, {"10.0.0.0/8"}, kDeny));
  model::Config after = base;
  after.pools[0].backends[0].weight = 90;
  EXPECT_THAT(BlockingRules(JudgeChange(&base, after).verdict), IsEmpty());
}

TEST(SourceAccessRuleTest, TheGlobalSetAndTheVipsOwnCountTogether) {
  const model::Config base = WithRules(Rules({"0.0.0.0/1"}));
  model::Config after = base;
  model::SourceRules edge = Rules({"128.0.0.0/1"});
  edge.name = "edge";
  after.source_rules.push_back(edge);
  after.global_source_rules = "edge";
  const Verdict verdict = JudgeChange(&base, after).verdict;
  EXPECT_EQ(SeverityOf(verdict, "LB019"), Severity::kBlock);
  EXPECT_THAT(ViolationsOf(verdict, "LB019").front().observed, HasSubstr("edge, own"));
}

// Every other rule of a fleet of many VIPs walks over tables; this one may walk over a million
// prefixes, and does so once.
TEST(SourceAccessRuleTest, VipsOfOneSetAreJudgedTogether) {
  model::Config base = WebWith(4);
  for (uint8_t i = 0; i < 30; ++i) {
    model::Vip vip = base.vips[0];
    vip.name = "web-" + std::to_string(i);
    vip.address = model::IpAddress::FromIpv4({192, 0, 2, static_cast<uint8_t>(100 + i)});
    base.vips.push_back(vip);
  }
  model::Config after = base;
  after.source_rules = {Rules({"0.0.0.0/1"})};
  after.global_source_rules = "own";
  const auto violations = ViolationsOf(JudgeChange(&base, after).verdict, "LB019");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_THAT(violations[0].observed, HasSubstr("31 in all"));
}

TEST(SourceRulesFleetTest, DigestAndConfigurationCoverThem) {
  const model::Config plain = WebWith(4), ruled = WithRules(Rules({"203.0.113.0/24"}));
  model::Config global = ruled, unused = ruled, order = ruled;
  global.global_source_rules = "own";
  unused.vips[0].source_rules.clear();
  order.source_rules[0].deny.push_back(order.source_rules[0].deny[0]);
  const auto digest = [](const model::Config& config) { return Built(config)->digest.ToHex(); };
  EXPECT_NE(digest(ruled), digest(plain));
  EXPECT_NE(digest(global), digest(ruled));
  EXPECT_EQ(digest(unused), digest(plain)) << "no packet meets them";
  EXPECT_EQ(digest(order), digest(ruled));
  EXPECT_FALSE(Built(order)->HasConfigOf(*Built(ruled)));
  EXPECT_FALSE(Built(unused)->HasConfigOf(*Built(plain)));
  EXPECT_EQ(Built(global)->ToConfig(), global);
}

TEST(SourceRulesFleetTest, DigestCoversLimits) {
  const auto digest = [](const model::VipLimits& limits) {
    model::Config config = WebWith(4);
    config.vips[0].limits = limits;
    return Built(config)->digest.ToHex();
  };
  const std::vector<model::VipLimits> different = {
      {},
      {.new_flows = {{1000, 1000}}},
      {.new_flows = {{1000, 2000}}},
      {.per_source = {{1000, 1000}}},
      {.new_flows = {{1000, 1000}}, .per_source = {{1000, 1000}}}};
  std::set<std::string> digests;
  for (const model::VipLimits& limits : different) digests.insert(digest(limits));
  EXPECT_EQ(digests.size(), different.size());
  EXPECT_EQ(digest({}), Built(WebWith(4))->digest.ToHex());
}

TEST(SourceRulesFleetTest, UnchangedSetsAreShared) {
  const auto before = Built(WithRules(Rules({"203.0.113.0/24"})));
  model::Config config = WithRules(Rules({"203.0.113.0/24"}));
  config.pools[0].backends[0].weight = 90;
  EXPECT_EQ(Built(config, before)->source_rules[0], before->source_rules[0]);
  config.source_rules[0].deny.push_back(P("198.51.100.0/24"));
  EXPECT_NE(Built(config, before)->source_rules[0], before->source_rules[0]);
}

TEST(SourceRulesFleetTest, AVipWhoseClientsChangeIsAChangedOne) {
  const model::Config base = WithRules(Rules({"203.0.113.0/24"}));
  EXPECT_FALSE(JudgeChange(&base, WithRules(Rules({"203.0.112.0/24"}))).verdict.no_change());
  EXPECT_TRUE(JudgeChange(&base, base).verdict.no_change());
}

}  // namespace
}  // namespace evenkeel::guard::testing
