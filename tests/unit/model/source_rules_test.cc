// SPDX-License-Identifier: Apache-2.0
//
// Source rules in a configuration: read, validated, written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "control/model/config_file.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kStart[] = R"(vips:
  - {name: web, address: 192.0.2.10, port: 443, protocol: tcp, pool: web, source_rules: own}
pools:
  - {name: web, backends: [{name: a, address: 10.0.1.11}]}
)";

// Lines 5 and on of the document.
ParseResult Read(const std::string& rules, const ListReader& lists = nullptr) {
  return ParseYaml(absl::StrCat(kStart, rules), "f.yaml", lists);
}

ListReader Lists(std::map<std::string, std::string> texts) {
  return [texts](const std::string& name) -> absl::StatusOr<std::string> {
    const auto it = texts.find(name);
    if (it == texts.end()) return absl::NotFoundError(name + ": cannot be opened");
    return it->second;
  };
}

constexpr char kBoth[] = R"(source_rules:
  - name: own
    default: deny
    deny: [198.51.100.128/25, "2001:db8:1::/48"]
    allow:
      - 198.51.100.0/24
      - "2001:db8::/32"
      - 198.51.100.200
    lockdown: {reason: internal, owner: edge}
  - name: edge
    deny: [203.0.113.0/24]
global_source_rules: edge
)";

TEST(SourceRulesTest, AreRead) {
  const ParseResult result = Read(kBoth);
  ASSERT_THAT(result.diagnostics, IsEmpty()) << result.diagnostics[0].ToString();
  const Config& config = result.config;
  EXPECT_EQ(config.vips[0].source_rules, "own");
  EXPECT_EQ(config.global_source_rules, "edge");
  ASSERT_THAT(config.source_rules, SizeIs(2));
  const SourceRules& own = config.source_rules[0];
  EXPECT_EQ(own.fallback, SourceAction::kDeny);
  ASSERT_THAT(own.deny, SizeIs(2));
  EXPECT_EQ(own.deny[1].ToString(), "2001:db8:1::/48");
  ASSERT_THAT(own.allow, SizeIs(3));
  EXPECT_EQ(own.allow[2].ToString(), "198.51.100.200/32");
  EXPECT_EQ(own.lockdown, (Lockdown{"internal", "edge"}));
  EXPECT_EQ(config.source_rules[1].fallback, SourceAction::kAllow);
}

TEST(SourceRulesTest, AreWrittenAsTheyAreRead) {
  const Config config = Read(kBoth).config;
  const std::string text = ToYaml(config);
  const ParseResult again = ParseYaml(text, "again");
  ASSERT_TRUE(again.ok()) << again.diagnostics[0].ToString() << text;
  EXPECT_EQ(again.config, config);
  EXPECT_EQ(ToYaml(again.config), text);
}

TEST(SourceRulesTest, TheTextOfAStateWithoutAnyIsAsBefore) {
  Config config = Read(kBoth).config;
  config.source_rules.clear();
  config.global_source_rules.clear();
  config.vips[0].source_rules.clear();
  EXPECT_THAT(ToYaml(config), Not(HasSubstr("source_rules")));
}

TEST(SourceRulesTest, ListsComeFromFiles) {
  const ParseResult result = Read(
      "source_rules:\n"
      "  - {name: own, deny: [192.0.2.0/24], deny_file: bad.txt, allow_file: lists/good.txt}\n",
      Lists({{"bad.txt", "# bad\n203.0.113.0/24\n2001:db8:bad::/48\n"},
             {"lists/good.txt", "203.0.113.7\n"}}));
  ASSERT_TRUE(result.ok()) << result.diagnostics[0].ToString();
  const SourceRules& own = result.config.source_rules[0];
  ASSERT_THAT(own.deny, SizeIs(3));
  EXPECT_EQ(own.deny[2].ToString(), "2001:db8:bad::/48");
  ASSERT_THAT(own.allow, SizeIs(1));
  EXPECT_EQ(result.sources.Find("source_rules[0].deny[0]").ToString(), "f.yaml:6");
  EXPECT_EQ(result.sources.Find("source_rules[0].deny[2]").ToString(), "bad.txt:3");
  EXPECT_EQ(result.sources.Find("source_rules[0].deny[3]").line, 6u);
}

struct Bad {
  const char* name;
  std::string rules, location, field, says;
};

class BadSourceRules : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSourceRules, AreNamedWithTheirLine) {
  const ParseResult result =
      Read(GetParam().rules, Lists({{"both.txt", "# x\n198.51.100.0/24\n"},
                                    {"bad.txt", "10.0.0.0/8\n\n10.0.0.1/8\n"},
                                    {"empty.txt", "# nothing\n"}}));
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  const Diagnostic& d = result.diagnostics[0];
  EXPECT_THAT(d.location.ToString(), ::testing::StartsWith(GetParam().location));
  EXPECT_EQ(d.field, GetParam().field);
  EXPECT_THAT(d.message, HasSubstr(GetParam().says));
}

constexpr char kHead[] = "source_rules:\n  - name: own\n";

INSTANTIATE_TEST_SUITE_P(
    All, BadSourceRules,
    ::testing::Values(
        Bad{"host_bits", absl::StrCat(kHead, "    deny:\n      - 10.0.0.0/8\n      - 10.0.0.1/8\n"),
            "f.yaml:9:", "source_rules[0].deny[1]", "write 10.0.0.0/8, or 10.0.0.1/32"},
        Bad{"both", absl::StrCat(kHead, "    deny: [10.0.0.0/8]\n    allow:\n      - 10.0.0.0/8\n"),
            "f.yaml:9", "source_rules[0].allow[0]", "is also under deny"},
        Bad{"both_in_a_file",
            absl::StrCat(kHead, "    deny: [198.51.100.0/24]\n    allow_file: both.txt\n"),
            "both.txt:2", "source_rules[0].allow[0]", "is also under deny"},
        Bad{"line_of_a_file", absl::StrCat(kHead, "    deny_file: bad.txt\n"), "bad.txt:3",
            "source_rules[0].deny_file", "bits set beyond its length"},
        Bad{"empty_file", absl::StrCat(kHead, "    deny_file: empty.txt\n"),
            "f.yaml:7:", "source_rules[0].deny_file", "absent does not mean delete"},
        Bad{"no_file", absl::StrCat(kHead, "    deny_file: none.txt\n"),
            "f.yaml:7:", "source_rules[0].deny_file", "cannot be opened"},
        Bad{"no_list", absl::StrCat(kHead, "    deny: 10.0.0.0/8\n"),
            "f.yaml:7:", "source_rules[0].deny", "write a list"},
        Bad{"no_prefix", absl::StrCat(kHead, "    deny: [[10.0.0.0/8]]\n"),
            "f.yaml:7:", "source_rules[0].deny[0]", "is not a prefix"},
        Bad{"default", absl::StrCat(kHead, "    default: block\n"),
            "f.yaml:7:", "source_rules[0].default", "allow, deny"},
        Bad{"key", absl::StrCat(kHead, "    denyfile: x\n"),
            "f.yaml:7:", "source_rules[0].denyfile", "did you mean \"deny_file\""},
        Bad{"lockdown", absl::StrCat(kHead, "    lockdown: {reason: x, owner: \"\"}\n"),
            "f.yaml:7:", "source_rules[0].lockdown.owner", "who answers for it"},
        Bad{"twice", absl::StrCat(kHead, "  - name: own\n"), "f.yaml:7:", "source_rules[1].name",
            "already the name of source_rules[0]"},
        Bad{"unknown_global", absl::StrCat(kHead, "global_source_rules: owm\n"),
            "f.yaml:7:", "global_source_rules", "did you mean \"own\""},
        Bad{"unknown_own", "source_rules:\n  - name: owned\n", "f.yaml:2:", "vips[0].source_rules",
            "there are no source_rules \"own\""}),
    [](const auto& test) { return test.param.name; });

TEST(SourceRulesTest, FilesAreReadOnlyByWhomTheyConcern) {
  const ParseResult result = Read(absl::StrCat(kHead, "    deny_file: /etc/shadow\n"));
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("which is not read here"));
}

TEST(SourceRulesTest, OfAMillionAtMost) {
  Config config = Read(kBoth).config;
  config.source_rules[1].deny.clear();
  for (uint32_t i = 0; i < kMaxSourcePrefixes - 5; ++i) {
    const auto byte = [&](int n) { return static_cast<uint8_t>(i >> 8 * n); };
    config.source_rules[1].deny.push_back(
        {IpAddress::FromIpv4({100, byte(2), byte(1), byte(0)}), 32});
  }
  EXPECT_THAT(Validate(config), IsEmpty());
  config.source_rules[1].deny.push_back({IpAddress::FromIpv4({101, 0, 0, 0}), 8});
  const auto diagnostics = Validate(config);
  ASSERT_THAT(diagnostics, SizeIs(1));
  EXPECT_THAT(diagnostics[0].message, HasSubstr("at most 1000000"));
}

TEST(SourceRulesTest, ListsStandBesideTheConfiguration) {
  char dir[] = "/tmp/evenkeel-lists-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  std::ofstream(absl::StrCat(dir, "/bad.txt")) << "203.0.113.0/24\n";
  const ListReader read = ListsBeside(absl::StrCat(dir, "/config.yaml"));
  EXPECT_EQ(read("bad.txt").value(), "203.0.113.0/24\n");
  EXPECT_EQ(read(absl::StrCat(dir, "/bad.txt")).value(), "203.0.113.0/24\n");
  EXPECT_TRUE(absl::IsNotFound(read("none.txt").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(read(".").status()));
  EXPECT_FALSE(read("").ok());
  std::filesystem::resize_file(absl::StrCat(dir, "/bad.txt"), kMaxConfigBytes + 1);
  EXPECT_THAT(std::string(read("bad.txt").status().message()), HasSubstr("at most"));
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace evenkeel::model
