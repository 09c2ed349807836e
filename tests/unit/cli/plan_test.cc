// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class PlanTest : public CliTest {
 protected:
  std::string Outage() {
    model::Config config = WebConfig(4);
    for (int i = 1; i < 4; ++i) config.pools[0].backends[i].weight = 0;
    return WriteConfig("outage.yaml", config);
  }
};

TEST_F(PlanTest, ShowsSharesBeforeAndAfterAndEveryRule) {
  const Ran ran = Run({"plan", "-f", WriteConfig("five.yaml", WebConfig(5))});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("against revision 1"),
                             ContainsRegex("Pool web: changed, 65537 slots, [0-9]+ move \\(2[0-9]"),
                             ContainsRegex("web-1 +10.0.1.11 +25.00 % +20.00 % +-5.00"),
                             ContainsRegex("\\+ web-5 +10.0.1.15 +- +20.00 % +\\+20.00")));
  for (const char* rule : {"LB001", "LB002", "LB003", "LB005", "LB006", "LB007"}) {
    EXPECT_THAT(ran.out, HasSubstr(rule));
  }
  EXPECT_THAT(ran.out, HasSubstr("Verdict: accepted, every rule passes"));
  EXPECT_THAT(ran.out, HasSubstr("+ pools/web/backends/web-5: address 10.0.1.15"));
}

TEST_F(PlanTest, FitsInto80Columns) {
  const Ran ran = Run({"plan", "-f", WriteConfig("five.yaml", WebConfig(5))});
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Plan of ")) continue;  // has the file's path
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST_F(PlanTest, OutageIsRefusedWithFixes) {
  const Ran ran = Run({"plan", "-f", Outage()});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out,
              AllOf(ContainsRegex("web-1 .* 100.00 %"), HasSubstr("Verdict: REFUSED by "),
                    HasSubstr("LB003"), HasSubstr("    fix "), HasSubstr("nothing changed")));
}

TEST_F(PlanTest, JsonHasTheCheckSchemaAndTheNumbers) {
  const Ran ran = Run({"plan", "-f", WriteConfig("five.yaml", WebConfig(5)), "-o", "json"});
  const nlohmann::json json = ran.Json();
  EXPECT_EQ(json["schema"], "evenkeel.check/v1");
  EXPECT_EQ(json["verdict"], "pass");
  EXPECT_EQ(json["revision"], 1);
  EXPECT_EQ(json["etag"], "etag-1");
  EXPECT_EQ(json["no_change"], false);
  ASSERT_EQ(json["pools"].size(), 1u);
  EXPECT_GT(json["pools"][0]["slots_moved"].get<int>(), 13000);
  ASSERT_EQ(json["pools"][0]["backends"].size(), 5u);
  double sum = 0;
  for (const auto& backend : json["pools"][0]["backends"])
    sum += backend["share_after"].get<double>();
  EXPECT_NEAR(sum, 1.0, 1e-9);
  EXPECT_FALSE(json["rules"].empty());
  EXPECT_EQ(json["differences"][0]["object"], "pools/web/backends/web-5");

  const nlohmann::json refused = Run({"plan", "-f", Outage(), "-o", "json"}).Json();
  EXPECT_EQ(refused["verdict"], "refuse");
  EXPECT_GT(refused["violations"][0]["line"].get<int>(), 0);
}

TEST_F(PlanTest, SaysWhenNothingChanges) {
  const std::string same = WriteConfig("same.yaml", WebConfig(4));
  const Ran ran = Run({"plan", "-f", same, "--detailed-exitcode"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("No change: this is the state in force"));
  EXPECT_EQ(Run({"plan", "-f", same, "-o", "json"}).Json()["no_change"], true);
}

TEST_F(PlanTest, SendsOnePool) {
  model::Config config = WebConfig(5);
  model::Pool first = config.pools[0];
  first.name = "api";
  config.pools.insert(config.pools.begin(), first);
  config.pools[1].backends[4].weight = 65536;
  const std::string file = WriteConfig("two.yaml", config);
  const Ran ran = Run({"plan", "-f", file, "--pool", "web", "-o", "json"});
  EXPECT_EQ(ran.code, 3);
  // The daemon counts "web" as its first pool; the file has it as its second.
  const nlohmann::json json = ran.Json();
  const nlohmann::json whole = Run({"check", file, "-o", "json"}).Json();
  int line = 0;
  for (const auto& v : whole["violations"]) {
    if (v["rule"] == "LB007" && v["pool"] == "web") line = v["line"];
  }
  ASSERT_GT(line, 0);
  for (const auto& v : json["violations"]) {
    if (v["rule"] == "LB007" && v["subject"] == "pools/web/backends/web-5") {
      EXPECT_EQ(v["line"], line);
    }
  }
  const Ran missing = Run({"plan", "-f", file, "--pool", "wbe"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("has no pool \"wbe\" (did you mean \"web\"?)"));
}

TEST_F(PlanTest, LongListsAreShortUnlessAsked) {
  FakeEngine many(WebConfig(40));
  env_.connect = [&](const std::string&) { return ConnectTo(many); };
  const std::string file = WriteConfig("more.yaml", WebConfig(41));
  const Ran brief = Run({"plan", "-f", file});
  EXPECT_THAT(brief.out, HasSubstr("... and 17 backends that change less (--all lists them)"));
  EXPECT_THAT(brief.out, ContainsRegex("\\+ web-41 ")) << "what comes is never left out";
  const Ran all = Run({"plan", "-f", file, "--all"});
  EXPECT_THAT(all.out, Not(HasSubstr("... and")));
  for (int i = 1; i <= 41; ++i) EXPECT_THAT(all.out, HasSubstr(" web-" + std::to_string(i) + " "));
}

TEST_F(PlanTest, StaleEtagSaysWhoWasFaster) {
  daemon_.Force(WebConfig(5), "uid 7 (bob\033[2J)", "more capacity");
  const std::string file = WriteConfig("web.yaml", WebConfig(4));
  const Ran ran = Run({"plan", "-f", file, "--etag", "etag-1"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("the state is now revision 2"), HasSubstr("uid 7 (bob"),
                             HasSubstr("more capacity"), HasSubstr("evenkeel plan -f"),
                             Not(HasSubstr("\033"))));
  const Ran json = Run({"plan", "-f", file, "--etag", "etag-1", "-o", "json"});
  EXPECT_EQ(json.code, 5);
  EXPECT_EQ(json.Json()["outcome"], "stale");
  EXPECT_EQ(json.Json()["revisions"][0]["reason"], "more capacity");
}

TEST_F(PlanTest, BadFileIsNotSent) {
  daemon_.down = absl::UnavailableError("must not be asked");
  const std::string file = WriteFile("bad.yaml", "pools: 3\n");
  const Ran ran = Run({"plan", "-f", file});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr(file + ":1:"));
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_EQ(Run({"plan", "-f", file, "-o", "json"}).Json()["verdict"], "error");
}

TEST_F(PlanTest, ErrorsOfTheDaemonPointIntoTheFile) {
  engine::Outcome invalid;
  invalid.kind = engine::Outcome::Kind::kInvalid;
  invalid.diagnostics = {{{}, "pools[0].backends[1].address", "is not liked"},
                         {{}, "etag", "is odd"}};
  daemon_.outcome = invalid;
  const std::string file = WriteConfig("web.yaml", WebConfig(4));
  const Ran ran = Run({"plan", "-f", file});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err,
              ContainsRegex("web.yaml:[0-9]+:[0-9]+: pools.0..backends.1..address: is not liked"));
  EXPECT_THAT(ran.err, HasSubstr(": etag: is odd"));
}

}  // namespace
}  // namespace evenkeel::cli
