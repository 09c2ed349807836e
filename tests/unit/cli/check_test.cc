// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/check_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CheckTest : public CheckFormatTest {
 protected:
  // Four backends, of which the outage's update leaves one.
  std::string Outage() {
    model::Config config = WebConfig(4);
    for (int i = 1; i < 4; ++i) config.pools[0].backends[i].state = model::AdminState::kDisabled;
    return WriteConfig("outage.yaml", config);
  }
};

TEST_F(CheckTest, GoodFilePasses) {
  env_.connect = [](const std::string&) -> std::unique_ptr<engine::Engine> {
    ADD_FAILURE() << "check spoke to a daemon";
    return nullptr;
  };
  const std::string good = WriteConfig("good.yaml", WebConfig(4));
  const Ran text = Run({"check", good});
  EXPECT_EQ(text.code, 0);
  EXPECT_EQ(text.out, "Judged offline: no daemon here (there is no /nowhere/evenkeeld.sock)\n" +
                          good + ": passes (1 VIP, 1 pool)\n");
  const nlohmann::json json = Run({"check", good, "-o", "json"}).Json();
  EXPECT_EQ(json["schema"], "evenkeel.check/v1");
  EXPECT_EQ(json["verdict"], "pass");
  EXPECT_THAT(json["violations"], IsEmpty());
}

TEST_F(CheckTest, OutageIsRefusedWithRuleNumbersAndFix) {
  const std::string file = Outage();
  const Ran text = Run({"check", file});
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out, AllOf(HasSubstr("LB003"), HasSubstr("observed"), HasSubstr("limit"),
                              HasSubstr("fix"), HasSubstr("REFUSED by ")));
  const Ran ran = Run({"check", file, "-o", "json"});
  EXPECT_EQ(ran.code, 3);
  const nlohmann::json json = ran.Json();
  EXPECT_EQ(json["verdict"], "refuse");
  ASSERT_FALSE(json["violations"].empty());
  for (const nlohmann::json& violation : json["violations"]) {
    for (const char* key : {"rule", "name", "severity", "pool", "subject", "observed", "limit",
                            "fix", "file", "line"}) {
      EXPECT_TRUE(violation.contains(key)) << key;
    }
    EXPECT_EQ(violation["file"], file);
    EXPECT_GT(violation["line"].get<int>(), 0);
  }
}

TEST_F(CheckTest, ViolationPointsAtItsLine) {
  const std::string file = WeightAtLine7();
  const nlohmann::json json = Run({"check", file, "-o", "json"}).Json();
  bool found = false;
  for (const nlohmann::json& violation : json["violations"]) {
    if (violation["rule"] != "LB007" || violation["severity"] != "block") continue;
    found = true;
    EXPECT_EQ(violation["line"], 7) << violation;
  }
  EXPECT_TRUE(found) << json;
  EXPECT_THAT(Run({"check", file}).out, HasSubstr(file + ":7:"));
}

TEST_F(CheckTest, EveryErrorOfAFileIsListedWithItsPlace) {
  const std::string file = WriteFile("typo.yaml",
                                     "vips: []\n"
                                     "pools:\n"
                                     "  - name: web\n"
                                     "    backends: []\n"
                                     "    backend: []\n"
                                     "    table_size: many\n");
  const Ran text = Run({"check", file});
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.out,
              AllOf(HasSubstr(file + ":5:5: "), HasSubstr("\"backends\"?"), HasSubstr(file + ":6:"),
                    HasSubstr("table_size: is \"many\""), HasSubstr("not valid, 2 errors")));
  const Ran ran = Run({"check", file, "-o", "json"});
  EXPECT_EQ(ran.code, 1);
  const nlohmann::json json = ran.Json();
  EXPECT_EQ(json["verdict"], "error");
  EXPECT_THAT(json["violations"], IsEmpty());
  ASSERT_EQ(json["errors"].size(), 2u);
  EXPECT_EQ(json["errors"][0]["file"], file);
  EXPECT_EQ(json["errors"][0]["line"], 5);
  EXPECT_EQ(json["errors"][0]["column"], 5);
}

TEST_F(CheckTest, EachFileIsJudgedAndTheWorstDecides) {
  const std::string good = WriteConfig("good.yaml", WebConfig(4)), outage = Outage();
  const std::string broken = WriteFile("broken.yaml", "pools: 3\n");
  EXPECT_EQ(Run({"check", good, good}).code, 0);
  EXPECT_EQ(Run({"check", good, outage}).code, 3);
  EXPECT_EQ(Run({"check", outage, good}).code, 3);
  EXPECT_EQ(Run({"check", outage, broken, good}).code, 1);
  const nlohmann::json json = Run({"check", good, outage, broken, "-o", "json"}).Json();
  EXPECT_EQ(json["verdict"], "error");
  ASSERT_EQ(json["files"].size(), 3u);
  EXPECT_EQ(json["files"][0]["verdict"], "pass");
  EXPECT_EQ(json["files"][1]["verdict"], "refuse");
  EXPECT_EQ(json["files"][2]["verdict"], "error");
}

TEST_F(CheckTest, AgainstJudgesTheChange) {
  const std::string running = WriteConfig("running.yaml", WebConfig(8));
  const std::string half = WriteConfig("half.yaml", WebConfig(4));
  EXPECT_EQ(Run({"check", half}).code, 0) << "as a first state it is fine";
  const Ran ran = Run({"check", half, "--against", running, "-o", "json"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, HasSubstr("LB005"));
  EXPECT_EQ(Run({"check", half, "--against", Path("missing.yaml")}).code, 1);
  EXPECT_EQ(Run({"check", half, "--against", Path("missing.yaml"), "-o", "json"}).Json()["verdict"],
            "error");
}

TEST_F(CheckTest, WarningsFailOnlyWhenAsked) {
  model::Config config = WebConfig(6);
  config.pools[0].backends[0].weight = 1000;
  for (int i = 1; i < 6; ++i) config.pools[0].backends[i].weight = 900;
  config.pools[0].backends[5].weight = 80;
  const std::string file = WriteConfig("warn.yaml", config);
  const Ran lenient = Run({"check", file});
  EXPECT_EQ(lenient.code, 0);
  EXPECT_THAT(lenient.out, HasSubstr("passes with warnings"));
  EXPECT_EQ(Run({"check", file, "--fail-on", "warn"}).code, 4);
  EXPECT_EQ(Run({"check", file, "--fail-on", "warn", "-o", "json"}).code, 4);
  EXPECT_EQ(Run({"check", file, "-o", "json"}).Json()["verdict"], "warn");
  EXPECT_EQ(Run({"check", file, Outage(), "--fail-on", "warn"}).code, 3);
}

TEST_F(CheckTest, TakesTheFleetsHashKey) {
  const std::string good = WriteConfig("good.yaml", WebConfig(4));
  EXPECT_EQ(Run({"check", good, "--hash-key-file",
                 WriteFile("key", "000102030405060708090a0b0c0d0e0f\n")})
                .code,
            0);
  EXPECT_EQ(Run({"check", good, "--hash-key-file", WriteFile("raw", std::string(16, '\xff'))}).code,
            0);
  const Ran bad = Run({"check", good, "--hash-key-file", WriteFile("short", "00ff")});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, HasSubstr("expected 16 bytes or 32 hexadecimal digits"));
  EXPECT_EQ(Run({"check", good, "--hash-key-file", Path("missing")}).code, 1);
}

class CheckByDaemonTest : public CheckTest {
 protected:
  CheckByDaemonTest() {
    env_.socket_exists = [](const std::string&) { return true; };
  }
};

TEST_F(CheckByDaemonTest, JudgesTheChangeOfWhatRuns) {
  daemon_.Force(WebConfig(8), "uid 0 (root)", "more");
  const std::string half = WriteConfig("half.yaml", WebConfig(4));
  EXPECT_EQ(Run({"check", half, "--offline"}).code, 0) << "as a first state it is fine";
  const Ran text = Run({"check", half});
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out, AllOf(HasSubstr("Judged against what the daemon runs (/nowhere/"),
                              HasSubstr("LB005"), HasSubstr("REFUSED by ")));
  const nlohmann::json json = Run({"check", half, "-o", "json"}).Json();
  EXPECT_EQ(json["judged"], "daemon");
  EXPECT_EQ(json["files"][0]["revision"], 2);
  EXPECT_THAT(Run({"check", WriteConfig("same.yaml", WebConfig(8))}).out,
              HasSubstr("passes (1 VIP, 1 pool; against revision 2)"));
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

TEST_F(CheckByDaemonTest, SaysWhereItJudgesWithoutTheDaemon) {
  daemon_.down = absl::UnavailableError("must not be asked");
  const std::string good = WriteConfig("good.yaml", WebConfig(4));
  const struct {
    std::vector<std::string> more;
    const char *word, *text;
  } cases[] = {{{"--offline"}, "offline", "Judged offline, as asked"},
               {{"--hash-key-file", WriteFile("key", std::string(32, '0'))},
                "offline",
                "Judged offline, with the given hash key"},
               {{"--against", good}, "file", "Judged against "}};
  for (const auto& tested : cases) {
    std::vector<std::string> args = {"check", good};
    args.insert(args.end(), tested.more.begin(), tested.more.end());
    EXPECT_THAT(Run(args).out, testing::StartsWith(tested.text));
    args.insert(args.end(), {"-o", "json"});
    EXPECT_EQ(Run(args).Json()["judged"], tested.word);
  }
}

TEST_F(CheckByDaemonTest, ADaemonThatFailsIsAnErrorWithTheRemedy) {
  daemon_.down = absl::UnavailableError("nobody listens");
  const Ran ran = Run({"check", WriteConfig("good.yaml", WebConfig(4))});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr("nobody listens; --offline judges without the daemon"));
}

TEST_F(CheckByDaemonTest, WhatTheDaemonFindsInvalidPointsIntoTheFile) {
  engine::Outcome invalid;
  invalid.kind = engine::Outcome::Kind::kInvalid;
  invalid.diagnostics = {{{}, "pools[0].backends[1].address", "is not liked"}};
  daemon_.outcome = invalid;
  const Ran ran = Run({"check", WriteConfig("web.yaml", WebConfig(4))});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, testing::ContainsRegex("web.yaml:[0-9]+:[0-9]+: pools.0..backends.1."));
}

TEST_F(CheckTest, HostileTextReachesNoTerminal) {
  env_.out_is_terminal = env_.err_is_terminal = true;
  env_.no_color = true;
  const std::string file = WriteFile("evil.yaml", "\"\\e[2Jpools\": []\n");
  const Ran ran = Run({"check", file});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace evenkeel::cli
