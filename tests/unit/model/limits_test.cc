// SPDX-License-Identifier: Apache-2.0
//
// Limits of a VIP in a configuration: read, validated, written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ParseResult Read(const std::string& limits, const std::string& protocol = "tcp") {
  return ParseYaml(absl::StrCat("vips:\n"
                                "  - name: web\n"
                                "    address: 192.0.2.10\n"
                                "    port: 443\n"
                                "    pool: web\n"
                                "    protocol: ",
                                protocol, "\n    limits: ", limits,
                                "\npools:\n"
                                "  - {name: web, backends: [{name: a, address: 10.0.1.11}]}\n"),
                   "f.yaml");
}

TEST(LimitsTest, AreReadAndWritten) {
  const ParseResult result =
      Read("{new_flows: {rate: 5000, burst: 20000}, per_source: {rate: 200}}");
  ASSERT_THAT(result.diagnostics, IsEmpty()) << result.diagnostics[0].ToString();
  const VipLimits& limits = result.config.vips[0].limits;
  EXPECT_EQ(limits.new_flows, (RateLimit{5000, 20000}));
  EXPECT_EQ(limits.per_source, (RateLimit{200, 200})) << "a second's worth";
  const std::string text = ToYaml(result.config);
  EXPECT_THAT(text, HasSubstr(", limits: {new_flows: {rate: 5000, burst: 20000}, "
                              "per_source: {rate: 200, burst: 200}}}"));
  EXPECT_EQ(ParseYaml(text, "again").config, result.config);
}

TEST(LimitsTest, AreOffWhereTheyAreAbsent) {
  const ParseResult result = Read("{}");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.config.vips[0].limits, VipLimits{});
  EXPECT_THAT(ToYaml(result.config), Not(HasSubstr("limits")));
}

struct Bad {
  const char *name, *limits, *protocol, *field, *says;
};

class BadLimits : public ::testing::TestWithParam<Bad> {};

TEST_P(BadLimits, AreNamed) {
  const ParseResult result = Read(GetParam().limits, GetParam().protocol);
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  EXPECT_EQ(result.diagnostics[0].field, GetParam().field);
  EXPECT_EQ(result.diagnostics[0].location.line, 7u);
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadLimits,
    ::testing::Values(Bad{"no_rate", "{per_source: {burst: 5}}", "tcp",
                          "vips[0].limits.per_source.rate", "is missing"},
                      Bad{"zero", "{per_source: {rate: 0, burst: 5}}", "tcp",
                          "vips[0].limits.per_source.rate", "from 1 to 10000000"},
                      Bad{"too_fast", "{per_source: {rate: 10000001, burst: 500000}}", "tcp",
                          "vips[0].limits.per_source.rate", "from 1 to 10000000"},
                      Bad{"small_burst", "{new_flows: {rate: 5000, burst: 49}}", "tcp",
                          "vips[0].limits.new_flows", "write 50 to 10000000"},
                      Bad{"new_flows_of_udp", "{new_flows: {rate: 5000}}", "udp",
                          "vips[0].limits.new_flows", "limit per_source"},
                      Bad{"key", "{per_sources: {rate: 5}}", "tcp", "vips[0].limits.per_sources",
                          "did you mean \"per_source\""}),
    [](const auto& test) { return test.param.name; });

TEST(LimitsTest, NewFlowsAreForProtocolsThatShowThem) {
  for (const char* protocol : {"tcp", "quic"}) {
    EXPECT_TRUE(Read("{new_flows: {rate: 1000}}", protocol).ok()) << protocol;
  }
}

TEST(LimitsTest, PerSourceIsForEveryProtocol) {
  for (const char* protocol : {"tcp", "udp", "quic"}) {
    EXPECT_TRUE(Read("{per_source: {rate: 1000}}", protocol).ok()) << protocol;
  }
}

TEST(LimitsTest, OfOtherSourcesAreValidatedToo) {
  Config config = Read("{}").config;
  config.vips[0].limits.per_source = RateLimit{0, 0};
  ASSERT_THAT(Validate(config), SizeIs(1));
  EXPECT_EQ(Validate(config)[0].field, "vips[0].limits.per_source");
}

}  // namespace
}  // namespace evenkeel::model
