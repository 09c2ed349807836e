// SPDX-License-Identifier: Apache-2.0
//
// Sets of source rules through publishing, releasing and adopting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/publish/publisher.h"
#include "tests/unit/publish/fixture.h"

namespace evenkeel::testing {
namespace {

using publish::AdoptReport;
using publish::Publisher;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

model::Prefix P(const std::string& text) { return model::Prefix::Parse(text).value(); }

// Two pools with a VIP each; the first has its own set.
model::Config WithRules() {
  model::Config config = MakeConfig(2, 4);
  config.source_rules = {MakeRules("own", {"203.0.113.0/24"}), MakeRules("edge", {"10.0.0.0/8"})};
  config.vips[0].source_rules = "own";
  return config;
}

class SourceRulesTest : public PublishingTest {
 protected:
  std::vector<uint32_t> Sets() {
    publisher_->Settle();
    return *kernel_.ListRules();
  }
  dataplane::VipImage Vip(size_t index) { return kernel_.ReadActive()->image.vips[index]; }
  bool Reaches(const std::string& source, const std::string& vip = "192.0.2.1") {
    return kernel_
        .Deliver({.source = Ip(source),
                  .destination = Ip(vip),
                  .source_port = 1234,
                  .destination_port = 443,
                  .ip_protocol = 6})
        .has_value();
  }
};

TEST_F(SourceRulesTest, ArePublishedForWhoHasThem) {
  ASSERT_TRUE(Apply(WithRules()).ok());
  EXPECT_THAT(Sets(), SizeIs(1)) << "a set that no VIP has is not in the kernel";
  EXPECT_EQ(Vip(0).rules, Sets()[0]);
  EXPECT_TRUE(Vip(0).flags & EK_VIP_SOURCE_CHECKS);
  EXPECT_EQ(Vip(1).rules, 0);
  EXPECT_FALSE(Vip(1).flags & EK_VIP_SOURCE_CHECKS);
  EXPECT_FALSE(Reaches("203.0.113.7"));
  EXPECT_TRUE(Reaches("198.51.100.7"));
  EXPECT_TRUE(Reaches("203.0.113.7", "192.0.2.2"));
  EXPECT_EQ(publisher_->ReadKernelState()->digest.ToHex(), publisher_->applied()->digest.ToHex());
}

TEST_F(SourceRulesTest, OfTheWholeStateAreEveryVips) {
  model::Config config = WithRules();
  config.global_source_rules = "edge";
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_THAT(Sets(), SizeIs(2));
  EXPECT_EQ(Vip(0).global_rules, Vip(1).global_rules);
  EXPECT_NE(Vip(0).global_rules, Vip(0).rules);
  EXPECT_TRUE(Vip(1).flags & EK_VIP_SOURCE_CHECKS);
  EXPECT_FALSE(Reaches("10.1.2.3", "192.0.2.2"));
}

TEST_F(SourceRulesTest, ThatDoNotChangeKeepTheirSet) {
  model::Config config = WithRules();
  ASSERT_TRUE(Apply(config).ok());
  const uint32_t set = Vip(0).rules;
  config.pools[0].backends[0].weight = 50;
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(Vip(0).rules, set);
  config.vips[1].source_rules = "own";  // one more VIP has it
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(Vip(1).rules, set);
  config.source_rules[0].name = "renamed";
  for (model::Vip& vip : config.vips) vip.source_rules = "renamed";
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(Vip(1).rules, set);
  EXPECT_THAT(Sets(), SizeIs(1));
}

TEST_F(SourceRulesTest, OfOneContentAreOneSet) {
  model::Config config = WithRules();
  config.source_rules.push_back(MakeRules("copy", {"203.0.113.0/24"}));
  config.vips[1].source_rules = "copy";
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_THAT(Sets(), SizeIs(1));
  EXPECT_EQ(Vip(0).rules, Vip(1).rules);
}

TEST_F(SourceRulesTest, AreReplacedWholeAndReleased) {
  model::Config config = WithRules();
  ASSERT_TRUE(Apply(config).ok());
  const uint32_t first = Vip(0).rules;
  config.source_rules[0].deny = {P("198.51.100.0/24")};
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->tables_staged, 0u);
  EXPECT_EQ(result->probes, 2u) << "one client that may have it, one that may not";
  const uint32_t second = Vip(0).rules;
  EXPECT_NE(first, second);
  EXPECT_TRUE(Reaches("203.0.113.7"));
  EXPECT_FALSE(Reaches("198.51.100.7"));
  EXPECT_THAT(Sets(), ElementsAre(std::min(first, second), std::max(first, second)))
      << "the former generation stands for an undo";
  config.vips[0].source_rules.clear();
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_TRUE(Reaches("198.51.100.7"));
  EXPECT_THAT(Sets(), ElementsAre(second));
  config.pools[0].backends[0].weight = 50;
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_THAT(Sets(), IsEmpty());
}

TEST_F(SourceRulesTest, IdsAreUsedAgain) {
  model::Config config = WithRules();
  for (int i = 0; i < 2 * EK_MAX_RULE_SETS; ++i) {
    const auto byte = [&](int shift) { return static_cast<uint8_t>(i >> shift); };
    config.source_rules[0].deny = {{model::IpAddress::FromIpv4({203, 0, byte(8), byte(0)}), 32}};
    const auto result = Apply(config);
    ASSERT_TRUE(result.ok()) << i << ": " << result.status();
  }
  EXPECT_THAT(Sets(), SizeIs(2));
}

TEST_F(SourceRulesTest, DamagedOnesAreNotPublished) {
  model::Config config = WithRules();
  ASSERT_TRUE(Apply(config).ok());
  publisher_->Settle();
  const std::string before = kernel_.Dump();
  config.source_rules[0].deny.push_back(P("198.51.100.0/24"));
  kernel_.CorruptNextRules();
  const auto result = Apply(config);
  EXPECT_TRUE(absl::IsDataLoss(result.status())) << result.status();
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("source rules own"));
  EXPECT_EQ(kernel_.Dump(), before);
  EXPECT_TRUE(Apply(config).ok());
}

TEST_F(SourceRulesTest, AreAdopted) {
  model::Config config = WithRules();
  config.global_source_rules = "edge";
  ASSERT_TRUE(Apply(config).ok());
  publisher_->Settle();
  const auto intent = publisher_->applied();
  const std::string before = kernel_.Dump();
  EXPECT_EQ(Start(intent).state, AdoptReport::State::kMatches);
  EXPECT_EQ(kernel_.Dump(), before);
  const uint32_t set = Vip(0).rules;
  config.pools[0].backends[0].weight = 50;
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(Vip(0).rules, set) << "found by its digest";
}

TEST_F(SourceRulesTest, OthersThanTheAppliedStatesAreFoundAndReplaced) {
  model::Config config = WithRules();
  ASSERT_TRUE(Apply(config).ok());
  config.source_rules[0].deny = {P("198.51.100.0/24")};
  const Judged intent = Judge(config, nullptr);
  const AdoptReport report = Start(intent.fleet);
  EXPECT_EQ(report.state, AdoptReport::State::kDiffers);
  EXPECT_THAT(report.message, HasSubstr("differs from the applied state"));
  ASSERT_TRUE(publisher_->Restore(*intent.approval, 9).ok());
  EXPECT_FALSE(Reaches("198.51.100.7"));
}

TEST_F(SourceRulesTest, LeftByADaemonThatEndedAreDropped) {
  ASSERT_TRUE(Apply(WithRules()).ok());
  const auto intent = publisher_->applied();
  const std::vector<uint32_t> used = Sets();
  ASSERT_TRUE(kernel_.StageRules(77, guard::ListOf(MakeRules("x", {"10.0.0.0/8"}))).ok());
  Start(intent);
  EXPECT_EQ(Sets(), used);
}

TEST_F(SourceRulesTest, ThatLetInOnlyAFewAreProbedWithThem) {
  model::Config config = WithRules();
  config.source_rules[0] = MakeRules("own", {}, {"192.0.2.200/32"});
  config.source_rules[0].fallback = model::SourceAction::kDeny;
  config.source_rules[0].lockdown = {"one client", "edge"};
  auto result = Apply(config);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GE(result->probes, 10u) << "every server is met";
  EXPECT_TRUE(Reaches("192.0.2.200"));
  EXPECT_FALSE(Reaches("192.0.2.201"));
}

TEST_F(SourceRulesTest, ThatLetInNobodyAreProbedToo) {
  model::Config config = WithRules();
  config.source_rules[0].fallback = model::SourceAction::kDeny;
  config.source_rules[0].lockdown = {"closed", "edge"};
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_FALSE(Reaches("198.51.100.7"));
}

TEST_F(SourceRulesTest, LimitsStandInTheVipAndAreAdopted) {
  model::Config config = MakeConfig(2, 4);
  config.vips[0].limits = {.new_flows = {{5000, 20000}}, .per_source = {{200, 400}}};
  ASSERT_TRUE(Apply(config).ok());
  EXPECT_EQ(Vip(0).new_flow_limit, (guard::Limit{.interval_ns = 200'000, .burst = 20000}));
  EXPECT_EQ(Vip(0).source_limit, (guard::Limit{.interval_ns = 5'000'000, .burst = 400}));
  EXPECT_TRUE(Vip(0).flags & EK_VIP_SOURCE_CHECKS);
  EXPECT_FALSE(Vip(1).flags & EK_VIP_SOURCE_CHECKS);
  EXPECT_EQ(publisher_->ReadKernelState()->digest.ToHex(), publisher_->applied()->digest.ToHex());
  publisher_->Settle();
  const auto intent = publisher_->applied();
  EXPECT_EQ(Start(intent).state, AdoptReport::State::kMatches);
  config.vips[0].limits.per_source->rate = 300;
  EXPECT_EQ(Start(Judge(config, nullptr).fleet).state, AdoptReport::State::kDiffers);
}

}  // namespace
}  // namespace evenkeel::testing
