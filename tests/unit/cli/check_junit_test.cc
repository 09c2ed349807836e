// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "control/cli/cat.h"
#include "control/guard/guard.h"
#include "tests/unit/cli/check_fixture.h"
#include "tests/unit/cli/xml.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JunitTest : public CheckFormatTest {
 protected:
  XmlElement Report(std::vector<std::string> args) {
    args.insert(args.begin(), "check");
    args.insert(args.end(), {"-o", "junit"});
    const std::string text = Run(args).out;
    std::optional<XmlElement> root = ParseXml(text);
    EXPECT_TRUE(root.has_value()) << text;
    if (!root) return {};
    EXPECT_EQ(root->name, "testsuites");
    ExpectCounts(*root);
    for (const XmlElement* suite : root->All("testsuite")) ExpectCounts(*suite);
    return *std::move(root);
  }

  static void ExpectCounts(const XmlElement& element) {
    for (const auto& [attribute, counted] :
         {std::pair{"tests", "testcase"}, {"failures", "failure"}, {"errors", "error"}}) {
      EXPECT_EQ(element.attributes.at(attribute), std::to_string(element.All(counted).size()))
          << attribute << " of " << element.name;
    }
  }
};

TEST_F(JunitTest, ACaseForEachRuleAndPool) {
  model::Config config = WebConfig(4);
  config.pools.push_back(config.pools[0]);
  config.pools[1].name = "api";
  const std::string file = WriteConfig("two.yaml", config);
  const XmlElement report = Report({file});
  const auto suites = report.All("testsuite");
  ASSERT_EQ(suites.size(), 1u);
  EXPECT_EQ(suites[0]->attributes.at("name"), file);
  std::map<std::string, std::set<std::string>> cases;
  for (const XmlElement* c : report.All("testcase")) {
    cases[c->attributes.at("classname")].insert(c->attributes.at("name"));
  }
  EXPECT_EQ(cases[file + "/web"], cases[file + "/api"]);
  EXPECT_TRUE(cases[file + "/web"].contains("LB001 backend-share"));
  EXPECT_TRUE(cases[file + "/state"].contains("LB014 pace"));
  // Some judge a pool, some the whole state, some both; these three the daemon judges elsewhere.
  std::set<std::string> judged = cases[file + "/web"];
  judged.insert(cases[file + "/state"].begin(), cases[file + "/state"].end());
  std::set<std::string> expected;
  for (const guard::RuleInfo& rule : guard::Rules()) {
    if (rule.id != "LB011" && rule.id != "LB012" && rule.id != "LB013") {
      expected.insert(Cat(rule.id, " ", rule.name));
    }
  }
  EXPECT_EQ(judged, expected);
  EXPECT_EQ(report.All("testcase").back()->attributes.at("name"), "LB019 source-access");
  EXPECT_THAT(report.All("failure"), IsEmpty());
  EXPECT_THAT(report.All("property")[0]->attributes.at("value"), HasSubstr("Judged offline"));
}

TEST_F(JunitTest, AFailureHasTheFindingsText) {
  const XmlElement report = Report({Refused()});
  bool found = false;
  for (const XmlElement* c : report.All("testcase")) {
    if (c->attributes.at("name") != "LB003 min-serving") continue;
    found = true;
    ASSERT_EQ(c->All("failure").size(), 1u);
    const XmlElement& failure = *c->All("failure")[0];
    EXPECT_EQ(failure.attributes.at("type"), "LB003");
    EXPECT_THAT(failure.text, AllOf(HasSubstr("pools/web"), HasSubstr("\nobserved: "),
                                    HasSubstr("\nlimit: "), HasSubstr("\nfix: ")));
  }
  EXPECT_TRUE(found);
}

TEST_F(JunitTest, WarningsPassUnlessTheyAreToFail) {
  const std::string file = Warned();
  const XmlElement lenient = Report({file});
  EXPECT_THAT(lenient.All("failure"), IsEmpty());
  ASSERT_FALSE(lenient.All("system-out").empty());
  EXPECT_THAT(lenient.All("system-out")[0]->text, HasSubstr("observed: "));
  const XmlElement strict = Report({file, "--fail-on", "warn"});
  EXPECT_EQ(strict.All("failure").size(), lenient.All("system-out").size());
  EXPECT_THAT(strict.All("system-out"), IsEmpty());
}

TEST_F(JunitTest, AFileThatIsNotValidIsAnError) {
  const std::string broken = Broken();
  const XmlElement report = Report({Good(), broken});
  ASSERT_EQ(report.All("testsuite").size(), 2u);
  const XmlElement& suite = *report.All("testsuite")[1];
  ASSERT_EQ(suite.All("error").size(), 1u);
  EXPECT_EQ(suite.All("testcase").size(), 1u);
  EXPECT_THAT(suite.All("error")[0]->text,
              AllOf(HasSubstr(broken + ":5:5: "), HasSubstr("\n" + broken + ":6:")));
}

TEST_F(JunitTest, WhatPreventsTheCheckIsAnError) {
  env_.socket_exists = [](const std::string&) { return true; };
  daemon_.down = absl::PermissionDeniedError("<not> for \"you\" & me");
  const XmlElement report = Report({Good()});
  ASSERT_EQ(report.All("error").size(), 1u);
  EXPECT_THAT(report.All("error")[0]->attributes.at("message"),
              HasSubstr("<not> for \"you\" & me"));
}

TEST_F(JunitTest, HoldsEveryNameThatAFileCanHave) {
  const std::string odd =
      "a<b>&\"'\x01\x1b[2J\n\t\xff \xef\xbf\xbf \xe2\x80\xae \xc3\xa4\xe6\xbc\xa2.yaml";
  const XmlElement report = Report({WriteFile(odd, "pools: 3\n")});
  EXPECT_THAT(report.All("testsuite")[0]->attributes.at("name"),
              testing::EndsWith("/a<b>&\"'\\x01\\x1b[2J\\n\\t\\xff \\uffff \\u202e "
                                "\xc3\xa4\xe6\xbc\xa2.yaml"));
}

}  // namespace
}  // namespace evenkeel::cli
