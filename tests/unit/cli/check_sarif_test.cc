// SPDX-License-Identifier: Apache-2.0
//
// What SARIF 2.1.0 demands of the parts that are used here, in words of our own: its schema is not
// among the sources. docs/testing.md says how to hold a log against the schema itself.
#include <set>

#include "absl/strings/str_replace.h"
#include "control/guard/guard.h"
#include "tests/unit/cli/check_fixture.h"

namespace evenkeel::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Objects of the schema are closed: a key that is not in it makes the log invalid.
void ExpectKeys(const json& object, const std::set<std::string>& required,
                const std::set<std::string>& optional) {
  ASSERT_TRUE(object.is_object()) << object;
  for (const std::string& key : required) EXPECT_TRUE(object.contains(key)) << key << object;
  for (const auto& [key, value] : object.items()) {
    EXPECT_TRUE(required.contains(key) || optional.contains(key)) << key;
  }
}

void ExpectMessage(const json& message) {
  ExpectKeys(message, {"text"}, {"markdown"});
  EXPECT_FALSE(message["text"].get<std::string>().empty());
}

// 3.11.5: a single brace would be a placeholder, for which there are no arguments.
void ExpectNoPlaceholder(const json& message) {
  const std::string rest =
      absl::StrReplaceAll(message["text"].get<std::string>(), {{"{{", ""}, {"}}", ""}});
  EXPECT_THAT(rest, Not(testing::AnyOf(HasSubstr("{"), HasSubstr("}"))));
}

void ExpectLevel(const json& level) {
  EXPECT_TRUE(std::set<std::string>({"none", "note", "warning", "error"})
                  .contains(level.get<std::string>()))
      << level;
}

// RFC 3986: what stands in a URI reference, percent-encoding whole.
void ExpectUri(const json& uri) {
  EXPECT_THAT(uri.get<std::string>(),
              testing::MatchesRegex("(file://)?([A-Za-z0-9._~/-]|%[0-9A-F][0-9A-F])+"));
}

void ExpectLocation(const json& location) {
  ExpectKeys(location, {"physicalLocation"}, {"logicalLocations"});
  const json& physical = location["physicalLocation"];
  ExpectKeys(physical, {"artifactLocation"}, {"region"});
  ExpectKeys(physical["artifactLocation"], {"uri"}, {});
  ExpectUri(physical["artifactLocation"]["uri"]);
  if (physical.contains("region")) {
    ExpectKeys(physical["region"], {"startLine"}, {"startColumn"});
    EXPECT_GE(physical["region"]["startLine"].get<int>(), 1);
    EXPECT_GE(physical["region"].value("startColumn", 1), 1);
  }
  for (const json& logical : location.value("logicalLocations", json::array())) {
    ExpectKeys(logical, {"fullyQualifiedName"}, {});
  }
}

void ExpectRule(const json& rule) {
  ExpectKeys(rule,
             {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"},
             {});
  for (const char* text : {"shortDescription", "fullDescription", "help"}) {
    ExpectMessage(rule[text]);
  }
  ExpectKeys(rule["defaultConfiguration"], {"level"}, {});
  ExpectLevel(rule["defaultConfiguration"]["level"]);
}

void ExpectResult(const json& result, const json& rules) {
  ExpectKeys(result, {"ruleId", "ruleIndex", "level", "message", "locations", "properties"}, {});
  ASSERT_LT(result["ruleIndex"].get<size_t>(), rules.size());
  EXPECT_EQ(rules[result["ruleIndex"].get<size_t>()]["id"], result["ruleId"]);
  ExpectLevel(result["level"]);
  ExpectMessage(result["message"]);
  ExpectNoPlaceholder(result["message"]);
  EXPECT_EQ(result["locations"].size(), 1u);
  for (const json& location : result["locations"]) ExpectLocation(location);
  EXPECT_TRUE(result["properties"].is_object());
}

void ExpectInvocation(const json& invocation) {
  ExpectKeys(invocation, {"executionSuccessful", "exitCode"}, {"toolExecutionNotifications"});
  EXPECT_TRUE(invocation["executionSuccessful"].is_boolean());
  EXPECT_TRUE(invocation["exitCode"].is_number_integer());
  for (const json& note : invocation.value("toolExecutionNotifications", json::array())) {
    ExpectKeys(note, {"level", "message"}, {});
    ExpectLevel(note["level"]);
    ExpectMessage(note["message"]);
    ExpectNoPlaceholder(note["message"]);
  }
}

void ExpectSarif(const json& log) {
  ExpectKeys(log, {"$schema", "version", "runs"}, {});
  EXPECT_EQ(log["version"], "2.1.0");
  EXPECT_THAT(log["$schema"].get<std::string>(), HasSubstr("sarif-2.1.0"));
  ASSERT_EQ(log["runs"].size(), 1u);
  const json& run = log["runs"][0];
  ExpectKeys(run, {"tool", "invocations", "artifacts", "results", "properties"}, {});
  ExpectKeys(run["tool"], {"driver"}, {});
  const json& driver = run["tool"]["driver"];
  ExpectKeys(driver, {"name", "semanticVersion", "rules"}, {});
  EXPECT_THAT(driver["semanticVersion"].get<std::string>(),
              testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  std::set<std::string> ids;
  for (const json& rule : driver["rules"]) {
    ExpectRule(rule);
    EXPECT_TRUE(ids.insert(rule["id"]).second) << "twice: " << rule["id"];
  }
  for (const json& invocation : run["invocations"]) ExpectInvocation(invocation);
  for (const json& artifact : run["artifacts"]) {
    ExpectKeys(artifact, {"location", "roles"}, {});
    ExpectUri(artifact["location"]["uri"]);
  }
  for (const json& result : run["results"]) ExpectResult(result, driver["rules"]);
}

class SarifTest : public CheckFormatTest {
 protected:
  json Log(std::vector<std::string> args) {
    args.insert(args.begin(), "check");
    args.insert(args.end(), {"-o", "sarif"});
    const Ran ran = Run(args);
    json log = ran.Json();
    ExpectSarif(log);
    EXPECT_EQ(log["runs"][0]["invocations"][0]["exitCode"], ran.code);
    return log;
  }
};

TEST_F(SarifTest, HasEveryRuleWithItsTexts) {
  const json log = Log({Good()});
  const json& rules = log["runs"][0]["tool"]["driver"]["rules"];
  ASSERT_EQ(rules.size(), guard::Rules().size() + 1) << "and the file's own validity";
  EXPECT_EQ(rules[0]["id"], "LB001");
  EXPECT_EQ(rules[0]["name"], "backend-share");
  EXPECT_THAT(rules[0]["help"]["markdown"].get<std::string>(), HasSubstr("weights 3, 1, 1, 1"));
  EXPECT_EQ(rules.back()["id"], "config");
  EXPECT_THAT(log["runs"][0]["results"], IsEmpty());
  EXPECT_EQ(log["runs"][0]["properties"]["verdict"], "pass");
  EXPECT_EQ(log["runs"][0]["properties"]["judged"], "offline");
}

TEST_F(SarifTest, EachViolationIsAResultAtItsLine) {
  const json log = Log({WeightAtLine7()});
  bool found = false;
  for (const json& result : log["runs"][0]["results"]) {
    if (result["ruleId"] != "LB007") continue;
    found = true;
    EXPECT_EQ(result["level"], "error");
    const json& location = result["locations"][0];
    EXPECT_EQ(location["physicalLocation"]["region"]["startLine"], 7);
    EXPECT_EQ(location["logicalLocations"][0]["fullyQualifiedName"], "pools/web/backends/c");
  }
  EXPECT_TRUE(found) << log;
}

TEST_F(SarifTest, WarningsAreWarnings) {
  const json log = Log({Warned()});
  ASSERT_FALSE(log["runs"][0]["results"].empty());
  for (const json& result : log["runs"][0]["results"]) EXPECT_EQ(result["level"], "warning");
  EXPECT_EQ(Log({Warned(), "--fail-on", "warn"})["runs"][0]["invocations"][0]["exitCode"], 4);
}

TEST_F(SarifTest, EachErrorOfAFileIsAResultOfItsOwnRule) {
  const json log = Log({Broken(), Path("none.yaml")});
  const json& results = log["runs"][0]["results"];
  ASSERT_EQ(results.size(), 3u);
  for (const json& result : results) EXPECT_EQ(result["ruleId"], "config");
  EXPECT_EQ(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
  EXPECT_FALSE(results[2]["locations"][0]["physicalLocation"].contains("region"))
      << "a file that is not there has no lines";
  EXPECT_EQ(log["runs"][0]["invocations"][0]["executionSuccessful"], true)
      << "the program did its work";
}

TEST_F(SarifTest, PathsAreUris) {
  const json log = Log({WriteFile("50% \"a\" \xc3\xa4 {0}.yaml", "pools: 3\n")});
  EXPECT_THAT(log["runs"][0]["artifacts"][0]["location"]["uri"].get<std::string>(),
              testing::AllOf(testing::StartsWith("file:///"),
                             HasSubstr("/50%25%20%22a%22%20%C3%A4%20%7B0%7D.yaml")));
}

TEST_F(SarifTest, RelativePathsStayRelative) {
  for (const char* path : {"none.yaml", "./none.yaml", "././none.yaml"}) {
    EXPECT_EQ(Log({path})["runs"][0]["artifacts"][0]["location"]["uri"], "none.yaml");
  }
}

TEST_F(SarifTest, WhatPreventsTheCheckIsANotification) {
  env_.socket_exists = [](const std::string&) { return true; };
  daemon_.down = absl::UnavailableError("the daemon {0} is ill");
  const json log = Log({Good()});
  const json& invocation = log["runs"][0]["invocations"][0];
  EXPECT_EQ(invocation["executionSuccessful"], false);
  EXPECT_THAT(invocation["toolExecutionNotifications"][0]["message"]["text"].get<std::string>(),
              HasSubstr("the daemon {{0}} is ill"));
}

TEST_F(SarifTest, RulesOfANewerDaemonAreNamedToo) {
  env_.socket_exists = [](const std::string&) { return true; };
  engine::Outcome refused;
  refused.kind = engine::Outcome::Kind::kRefused;
  refused.verdict.severity = guard::Severity::kBlock;
  refused.verdict.violations = {{"LB099", "from-the-future", guard::Severity::kBlock, "",
                                 "vips/web", "", "observed", "limit", "fix", "message"}};
  daemon_.outcome = refused;
  const json log = Log({Good()});
  EXPECT_EQ(log["runs"][0]["results"][0]["ruleId"], "LB099");
  EXPECT_EQ(log["runs"][0]["tool"]["driver"]["rules"].back()["name"], "from-the-future");
}

}  // namespace
}  // namespace evenkeel::cli
