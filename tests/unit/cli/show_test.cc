// SPDX-License-Identifier: Apache-2.0
//
// get, diff, history and rules.
#include "control/model/yaml.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ShowTest : public CliTest {
 protected:
  ShowTest() {
    model::Config config = WebConfig(4);
    config.pools[0].backends[2].weight = 50;
    daemon_.Force(config, "uid 1000 (alice)", "web-3 is slow\033[2J\nreally");
  }
  std::string Digest() { return daemon_.Get()->digest.ToHex(); }
};

TEST_F(ShowTest, GetRoundTripsInEveryFormat) {
  const std::optional<model::Config> expected = daemon_.Get()->config;
  for (const char* format : {"text", "yaml", "json"}) {
    const Ran ran = Run({"get", "-o", format});
    std::string text = ran.out;
    if (format == std::string("json")) text = ran.Json()["config"].dump();
    const model::ParseResult parsed = model::ParseYaml(text, format);
    ASSERT_TRUE(parsed.ok()) << parsed.diagnostics[0].ToString() << "\n" << text;
    EXPECT_EQ(parsed.config, *expected) << format;
  }
}

TEST_F(ShowTest, GetSaysWhoseStateItIs) {
  const Ran text = Run({"get"});
  EXPECT_THAT(text.out, AllOf(HasSubstr("# Revision 2, 2026-03-01"), HasSubstr("uid 1000 (alice)"),
                              HasSubstr("--etag etag-2"), Not(HasSubstr("\033"))));
  EXPECT_THAT(Run({"get", "-o", "yaml"}).out, Not(HasSubstr("#")));
  const nlohmann::json json = Run({"get", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.get/v1");
  EXPECT_EQ(json["revision"], 2);
  EXPECT_EQ(json["reason"], "web-3 is slow\033[2J\nreally") << "JSON keeps the text as it is";
  EXPECT_EQ(json["applied_at"], "2026-03-01T12:02:00.000Z");
  const Ran past = Run({"get", "-r", "1", "-o", "json"});
  EXPECT_EQ(past.Json()["config"]["pools"][0]["backends"][2]["weight"], 100);
  EXPECT_EQ(past.Json()["reason"], "bootstrap");
}

TEST_F(ShowTest, ARevisionThatFailedIsNotTakenForOneThatWas) {
  daemon_.RecordFailed(3, WebConfig(5), "map ek_slots: out of memory\033[2J");
  EXPECT_THAT(Run({"get", "-r", "3"}).out,
              AllOf(HasSubstr("# Never in force: map ek_slots: out of memory\\x1b"),
                    Not(HasSubstr("\033"))));
  const nlohmann::json json = Run({"get", "-r", "3", "-o", "json"}).Json();
  EXPECT_EQ(json["applied_at"], "");
  EXPECT_EQ(Run({"get", "-o", "json"}).Json()["failure"], "");
  EXPECT_THAT(Run({"diff", "1", "3"}).out,
              StartsWith("From revision 1 to revision 3 (never in force)"));
}

TEST_F(ShowTest, WhatGetPrintsCanBeAppliedAgain) {
  const std::string file = WriteFile("got.yaml", Run({"get"}).out);
  EXPECT_THAT(Run({"plan", "-f", file}).out, HasSubstr("No change"));
}

TEST_F(ShowTest, DiffOfRevisionsAndFiles) {
  const std::string change = "  ~ pools/web/backends/web-3: weight 100 -> 50\n";
  EXPECT_EQ(Run({"diff", "1", "2"}).out, "From revision 1 to revision 2:\n" + change);
  EXPECT_EQ(Run({"diff", "1"}).out, "From revision 1 to revision 2:\n" + change);
  EXPECT_THAT(Run({"diff", "2", "1"}).out, HasSubstr("weight 50 -> 100"));
  const std::string file = WriteConfig("web.yaml", WebConfig(4));
  EXPECT_THAT(Run({"diff", "-f", file}).out,
              AllOf(StartsWith("From revision 2 to " + file), HasSubstr("weight 50 -> 100")));
  EXPECT_EQ(Run({"diff", "-f", file, "1"}).out,
            "No difference between revision 1 and " + file + "\n");
  const nlohmann::json json = Run({"diff", "1", "2", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.diff/v1");
  ASSERT_EQ(json["differences"].size(), 1u);
  EXPECT_EQ(json["differences"][0], nlohmann::json({{"kind", "changed"},
                                                    {"object", "pools/web/backends/web-3"},
                                                    {"field", "weight"},
                                                    {"before", 100},
                                                    {"after", 50}}));
}

TEST_F(ShowTest, HistoryIsNewestFirstAndHarmless) {
  const Ran ran = Run({"history"});
  EXPECT_EQ(ran.out,
            "    2  applied  2026-03-01 12:02:00 UTC (3 min ago)  uid 1000 (alice) via api\n"
            "       web-3 is slow\\x1b[2J\\nreally\n"
            "       web: web-3 25.00 % to 14.29 %, web-1 25.00 % to 28.57 %, web-2 25.00 % to\n"
            "       28.57 %, 1 more\n"
            "    1  applied  2026-03-01 12:01:00 UTC (4 min ago)  uid 0 (root) via api\n"
            "       bootstrap\n"
            "       web: web-1 0.00 % to 25.00 %, web-2 0.00 % to 25.00 %, web-3 0.00 % to\n"
            "       25.00 %, 1 more\n");
  const nlohmann::json json = Run({"history", "-n", "1", "-o", "json"}).Json();
  ASSERT_EQ(json["revisions"].size(), 1u);
  EXPECT_EQ(json["revisions"][0]["revision"], 2);
  const nlohmann::json& verdict = json["revisions"][0]["verdict"];
  EXPECT_EQ(verdict["verdict"], "pass");
  EXPECT_EQ(verdict["pools"][0]["backends"].size(), 4u);
  EXPECT_NEAR(verdict["pools"][0]["backends"][2]["after"], 1.0 / 7, 1e-4);
}

TEST_F(ShowTest, HistoryOfOneRevisionHasItsWholeVerdict) {
  model::Config config = WebConfig(4);
  config.pools[0].backends[2].weight = 9;  // 11 : 1
  daemon_.Force(config, "uid 1000 (alice)", "slower still");
  const Ran list = Run({"history", "-n", "1"});
  EXPECT_THAT(list.out, HasSubstr("warned: LB007 weights ("));
  const Ran ran = Run({"history", "3"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("slower still"), HasSubstr("digest " + Digest()),
                             HasSubstr("Pool web: changed"), HasSubstr("web-4"),
                             HasSubstr("revision 3: warning: LB")));
  EXPECT_EQ(Run({"history", "3", "-o", "json"}).Json()["revisions"][0]["revision"], 3);
  EXPECT_EQ(Run({"history", "9"}).code, 1);
  EXPECT_EQ(Run({"history", "0"}).code, 1);
}

// Of an earlier release, or damaged.
TEST_F(ShowTest, ARecordWithoutAVerdictIsShownAllTheSame) {
  daemon_.RecordFailed(3, WebConfig(5), "map ek_slots: out of memory");
  EXPECT_THAT(Run({"history"}).out, HasSubstr("out of memory"));
  EXPECT_THAT(Run({"history", "3"}).out, HasSubstr("the recorded verdict cannot be read"));
  EXPECT_EQ(Run({"history", "3", "-o", "json"}).Json()["revisions"][0]["verdict"], nullptr);
}

TEST_F(ShowTest, RulesListAndExplain) {
  const Ran list = Run({"rules"});
  const nlohmann::json json = Run({"rules", "-o", "json"}).Json();
  EXPECT_GE(json["rules"].size(), 9u);
  for (const auto& rule : json["rules"]) {
    EXPECT_THAT(list.out, HasSubstr(rule["id"].get<std::string>()));
    EXPECT_FALSE(rule["explanation"].get<std::string>().empty());
  }
  const Ran one = Run({"rules", "LB001"});
  EXPECT_THAT(one.out, AllOf(StartsWith("LB001 backend-share\n"), HasSubstr("\nDefault\n"),
                             HasSubstr("\nRefused\n"), HasSubstr("\nPasses\n")));
  EXPECT_EQ(Run({"rules", "backend-share"}).out, one.out);
  std::istringstream lines(one.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

TEST_F(ShowTest, ChangesOfHealthAreListedByThemselves) {
  EXPECT_THAT(Run({"history", "--health"}).out, HasSubstr("No server went out"));
  daemon_.health = {{.unix_ns = 1'772'366'400'000'000'000,
                     .pool = "web",
                     .server = "10.0.1.2",
                     .backend = "web-2",
                     .permille = 0,
                     .cause = "3 probes failed: refused"},
                    {.unix_ns = 1'772'366'300'000'000'000,
                     .pool = "api",
                     .server = "10.0.1.9",
                     .backend = "api-9",
                     .permille = 250,
                     .cause = "2 probes answered"}};
  env_.columns = 120;
  const Ran all = Run({"history", "--health"});
  EXPECT_THAT(all.out, HasSubstr("2026-03-01 12:00:00 UTC  5 min ago  out     web/web-2"));
  EXPECT_THAT(all.out, HasSubstr("web/web-2  10.0.1.2  3 probes failed: refused"));
  EXPECT_THAT(all.out, HasSubstr("25.0 %  api/api-9"));
  EXPECT_THAT(Run({"history", "--health", "-n", "1"}).out, Not(HasSubstr("api-9")));
  const nlohmann::json json = Run({"history", "--health", "--pool", "api", "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.health/v1");
  ASSERT_EQ(json["changes"].size(), 1u);
  EXPECT_EQ(json["changes"][0]["backend"], "api-9");
  EXPECT_EQ(json["changes"][0]["out"], false);
  EXPECT_EQ(json["changes"][0]["share"], 0.25);
  EXPECT_EQ(Run({"history", "--pool", "api"}).code, 1);
  EXPECT_EQ(Run({"history", "--health", "--export"}).code, 1);
  EXPECT_EQ(Run({"history", "--health", "1"}).code, 1);
}

}  // namespace
}  // namespace evenkeel::cli
