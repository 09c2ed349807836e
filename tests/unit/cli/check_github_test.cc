// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/match.h"
#include "control/cli/text.h"
#include "tests/unit/cli/check_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class GithubTest : public CheckFormatTest {
 protected:
  // Every line must be a command: the runner shows others as they are, and reads more into them.
  std::vector<std::string> Commands(std::vector<std::string> args) {
    args.insert(args.begin(), "check");
    args.insert(args.end(), {"-o", "github"});
    const std::string out = Run(args).out;
    std::vector<std::string> lines;
    for (const std::string_view line : Split(out, '\n')) {
      lines.emplace_back(line);
      EXPECT_THAT(lines.back(), MatchesRegex("::(notice|warning|error) [^\r]*::.*"));
    }
    return lines;
  }
};

TEST_F(GithubTest, AGoodFileIsANoticeOfHowItWasJudged) {
  const auto lines = Commands({Good()});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0],
            "::notice title=evenkeel check::Judged offline: no daemon here (there is no "
            "/nowhere/evenkeeld.sock)");
}

TEST_F(GithubTest, AnErrorHasItsPlaceRuleAndText) {
  const std::string file = WeightAtLine7();
  bool found = false;
  for (const std::string& line : Commands({file})) {
    if (!absl::StrContains(line, "LB007")) continue;
    found = true;
    EXPECT_THAT(line, AllOf(StartsWith("::error file=" + file + ",line=7,col="),
                            HasSubstr(",title=LB007 weights::pools/web/backends/c%0Aobserved: "),
                            HasSubstr("%0Alimit: "), HasSubstr("%0Afix: ")));
  }
  EXPECT_TRUE(found);
}

TEST_F(GithubTest, AWarningIsAWarningAlsoWhereItFails) {
  for (const char* fail_on : {"error", "warn"}) {
    const auto lines = Commands({Warned(), "--fail-on", fail_on});
    ASSERT_GE(lines.size(), 2u);
    EXPECT_THAT(lines[1], StartsWith("::warning file="));
  }
}

TEST_F(GithubTest, ErrorsOfAFileAndFilesWithoutLines) {
  const auto lines = Commands({Broken(), Path("none.yaml")});
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[1], HasSubstr("broken.yaml,line=5,col=5,title=not a valid configuration::"));
  EXPECT_THAT(lines[3], HasSubstr("none.yaml,title=not a valid configuration::"));
}

TEST_F(GithubTest, EscapesAsTheRunnerReadsIt) {
  const std::string odd = "a,b:c%d\n::stop-commands::x\r\x1b[2J.yaml";
  const auto lines = Commands({WriteFile(odd, "vips: []\npools: 3\n")});
  ASSERT_EQ(lines.size(), 2u) << "no file name makes a line of its own";
  EXPECT_THAT(lines[1], HasSubstr("/a%2Cb%3Ac%25d\\n%3A%3Astop-commands%3A%3Ax\\r\\x1b[2J.yaml,"));
  // In the message only what would end it.
  EXPECT_THAT(Commands({WriteFile("odd.yaml", "vips: []\npools: []\n\"100%, a: b\": 1\n")})[1],
              AllOf(HasSubstr("100%25, a: b"), Not(HasSubstr("100%25%2C"))));
}

TEST_F(GithubTest, WhatPreventsTheCheckIsAnError) {
  env_.socket_exists = [](const std::string&) { return true; };
  daemon_.down = absl::UnavailableError("no answer");
  const auto lines = Commands({Good()});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], StartsWith("::error title=evenkeel check::no answer"));
}

}  // namespace
}  // namespace evenkeel::cli
