// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/process.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kGood[] =
    "vips: []\npools:\n  - name: web\n    backends:\n"
    "      - {name: a, address: 10.0.1.1}\n      - {name: b, address: 10.0.1.2}\n";

TEST(BinaryTest, PrintsItsVersion) {
  const Finished ran = RunEvenkeel({.args = {"--version"}});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, StartsWith("evenkeel "));
}

TEST(BinaryTest, UsageErrorIs1) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {}, {"chek"}, {"plan"}, {"check"}, {"status", "--frobnicate"}}) {
    const Finished ran = RunEvenkeel({.args = args});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, HasSubstr("--help"));
    EXPECT_THAT(ran.out, IsEmpty());
  }
}

TEST(BinaryTest, MissingDaemonIsNamedWithTheRemedy) {
  const TempDir dir;
  const std::string socket = dir.Path("none.sock");
  const std::string file = dir.Write("web.yaml", kGood);
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"get"},
                                             {"history"},
                                             {"watch"},
                                             {"plan", "-f", file},
                                             {"diff", "-f", file},
                                             {"apply", "-f", file, "--reason", "r", "--yes"}}) {
    const Finished ran = RunEvenkeel({.args = args, .env = {{"EVENKEEL_SOCKET", socket}}});
    EXPECT_EQ(ran.code, 1) << args[0];
    EXPECT_THAT(ran.err, AllOf(HasSubstr(socket), HasSubstr("evenkeeld"))) << args[0];
  }
  const Finished by_option = RunEvenkeel({.args = {"status", "--socket", socket}});
  EXPECT_EQ(by_option.code, 1);
  EXPECT_THAT(by_option.err, HasSubstr(socket));
}

TEST(BinaryTest, CheckIsOfflineOnlyWhereThereIsNoSocket) {
  const TempDir dir;
  const std::string file = dir.Write("web.yaml", kGood), dead = dir.Write("dead.sock", "");
  const Finished none = RunEvenkeel({.args = {"check", file, "--socket", dir.Path("none.sock")}});
  EXPECT_EQ(none.code, 0) << none.err;
  EXPECT_THAT(none.out, StartsWith("Judged offline: no daemon here"));
  const Finished silent = RunEvenkeel({.args = {"check", file, "--socket", dead}});
  EXPECT_EQ(silent.code, 1);
  EXPECT_THAT(silent.err, AllOf(HasSubstr(dead), HasSubstr("--offline")));
  EXPECT_EQ(RunEvenkeel({.args = {"check", file, "--socket", dead, "--offline"}}).code, 0);
}

TEST(BinaryTest, CheckNeedsNoPrivilege) {
  if (geteuid() != 0) GTEST_SKIP() << "already without privilege: every other test shows it";
  const TempDir dir;
  Launch launch{.args = {"check", dir.Write("web.yaml", kGood)}};
  launch.as_nobody = true;
  const Finished ran = RunEvenkeel(launch);
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
}

TEST(BinaryTest, ColorsOnATerminalUnlessForbidden) {
  const TempDir dir;
  Launch launch{.args = {"check", dir.Write("web.yaml", kGood)}, .env = {{"TERM", "xterm"}}};
  EXPECT_THAT(RunEvenkeel(launch).out, Not(HasSubstr("\033")));
  launch.on_terminal = true;
  EXPECT_THAT(RunEvenkeel(launch).out, HasSubstr("\033["));
  launch.env["NO_COLOR"] = "1";
  EXPECT_THAT(RunEvenkeel(launch).out, Not(HasSubstr("\033")));
}

TEST(BinaryTest, BashCompletionWorksWhenSourced) {
  const std::string script = "source <('" + EvenkeelPath() +
                             "' completion bash); complete -p evenkeel; "
                             "COMP_WORDS=(evenkeel plan --det); COMP_CWORD=2; _evenkeel; "
                             "echo \"${COMPREPLY[@]}\"";
  const Finished ran = RunProgram("/bin/bash", {.args = {"--norc", "-c", script}});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "complete -F _evenkeel evenkeel\n--detailed-exitcode\n");
  EXPECT_THAT(ran.err, IsEmpty());
}

}  // namespace
}  // namespace evenkeel::cli
