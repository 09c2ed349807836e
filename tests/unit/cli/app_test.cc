// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class AppTest : public CliTest {};

TEST_F(AppTest, PrintsVersionAndHelp) {
  EXPECT_THAT(Run({"--version"}).out, StartsWith("evenkeel "));
  const Ran help = Run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* command : {"check", "plan", "apply", "get", "diff", "status", "history", "watch",
                              "rules", "completion", "help"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string("  ") + command + " ")) << command;
    const Ran of_command = Run({command, "--help"});
    EXPECT_EQ(of_command.code, 0) << command;
    EXPECT_THAT(of_command.out, HasSubstr("Usage: evenkeel " + std::string(command)));
    EXPECT_EQ(Run({"help", command}).out, of_command.out) << command;
  }
  EXPECT_EQ(Run({"help"}).out, help.out);
}

struct UsageCase {
  const char* name;
  std::vector<std::string> args;
  std::string message;
};

class UsageTest : public AppTest, public testing::WithParamInterface<UsageCase> {};

TEST_P(UsageTest, ExitsWith1AndSaysWhy) {
  const Ran ran = Run(GetParam().args);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr(GetParam().message));
  EXPECT_THAT(daemon_.applied_requests, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, UsageTest,
    testing::Values(
        UsageCase{"nothing", {}, "subcommand is required; see evenkeel --help"},
        UsageCase{"unknown_command", {"chekc"}, "unknown command chekc (did you mean check?)"},
        UsageCase{"unknown_option",
                  {"plan", "-f", "x", "--detailed-exit"},
                  "unknown option --detailed-exit (did you mean --detailed-exitcode?); see "
                  "evenkeel plan --help"},
        UsageCase{"unexpected_argument", {"status", "now"}, "unexpected argument now"},
        UsageCase{"missing_file", {"plan"}, "--file is required"},
        UsageCase{"missing_reason", {"apply", "-f", "x"}, "--reason is required"},
        UsageCase{"nothing_to_apply", {"apply", "--reason", "r"}, "give --file FILE"},
        UsageCase{"plan_and_file",
                  {"apply", "p", "-f", "x", "--reason", "r"},
                  "--file, --pool and --etag belong to evenkeel plan"},
        UsageCase{"empty_reason", {"apply", "-f", "x", "--reason", "  "}, "--reason is empty"},
        UsageCase{"long_reason",
                  {"apply", "-f", "x", "--reason", std::string(1025, 'r')},
                  "1025 bytes; at most 1024"},
        UsageCase{"check_without_file", {"check"}, "files is required"},
        UsageCase{"bad_format", {"status", "-o", "xml"}, "\"xml\" is none of text|json"},
        UsageCase{"yaml_where_there_is_none", {"status", "-o", "yaml"}, "is none of text|json"},
        UsageCase{"yaml_before_the_command", {"-o", "yaml", "status"}, "is none of text|json"},
        UsageCase{
            "bad_fail_on", {"check", "x", "--fail-on", "info"}, "\"info\" is none of error|warn"},
        UsageCase{"bad_limit", {"history", "-n", "0"}, "limit"},
        UsageCase{"limit_not_a_number", {"history", "-n", "many"}, "limit"},
        UsageCase{"bad_revision", {"get", "-r", "x"}, "\"x\" is not a revision"},
        UsageCase{"revision_0", {"get", "-r", "0"}, "\"0\" is not a revision"},
        UsageCase{"diff_of_nothing", {"diff"}, "nothing to compare"},
        UsageCase{"diff_of_too_much", {"diff", "-f", "x", "1", "2"}, "too much to compare"},
        UsageCase{"unknown_rule", {"rules", "LB0001"}, "did you mean \"LB001\"?"},
        UsageCase{"unknown_shell", {"completion", "tcsh"}, "\"tcsh\" is none of bash|zsh|fish"},
        UsageCase{"help_on_nothing", {"help", "aply"}, "did you mean \"apply\"?"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(AppTest, FormatStandsBeforeOrAfterTheCommand) {
  EXPECT_EQ(Run({"-o", "json", "rules"}).out, Run({"rules", "-o", "json"}).out);
  EXPECT_EQ(Run({"rules", "-o", "json"}).Json()["schema"], "evenkeel.rules/v1");
}

TEST_F(AppTest, SocketComesFromTheOptionElseFromTheEnvironment) {
  std::vector<std::string> sockets;
  env_.connect = [&](const std::string& socket) {
    sockets.push_back(socket);
    return ConnectTo(daemon_);
  };
  Run({"get"});
  Run({"get", "--socket", "/a"});
  Run({"--socket", "/b", "get"});
  EXPECT_THAT(sockets, testing::ElementsAre("/nowhere/evenkeeld.sock", "/a", "/b"));
}

TEST_F(AppTest, DaemonThatCannotBeReachedIsNamed) {
  daemon_.down = absl::UnavailableError("no daemon at /s; is evenkeeld running?");
  const std::string file = WriteConfig("web.yaml", WebConfig(4));
  const std::vector<std::vector<std::string>> commands = {
      {"plan", "-f", file},
      {"apply", "-f", file, "--reason", "r", "--yes"},
      {"get"},
      {"get", "-r", "1"},
      {"diff", "-f", file},
      {"diff", "1", "2"},
      {"status"},
      {"status", "--watch"},
      {"history"},
      {"watch"}};
  for (const std::vector<std::string>& command : commands) {
    const Ran text = Run(command);
    EXPECT_EQ(text.code, 1) << command[0];
    EXPECT_EQ(text.err, "evenkeel: no daemon at /s; is evenkeeld running?\n") << command[0];
    EXPECT_THAT(text.out, IsEmpty()) << command[0];
    std::vector<std::string> with_json = command;
    with_json.insert(with_json.end(), {"-o", "json"});
    const Ran json = Run(with_json);
    EXPECT_EQ(json.code, 1) << command[0];
    EXPECT_EQ(json.Json()["error"]["code"], "unavailable") << command[0];
  }
}

TEST_F(AppTest, OutputThatCannotBeWrittenIsAnError) {
  std::ostringstream err;
  std::ofstream full("/dev/full");
  env_.out = &full;
  env_.err = &err;
  EXPECT_EQ(cli::Run({"rules"}, env_), 1);
  EXPECT_THAT(err.str(), HasSubstr("cannot write the output"));
}

}  // namespace
}  // namespace evenkeel::cli
