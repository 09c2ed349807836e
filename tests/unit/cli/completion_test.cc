// SPDX-License-Identifier: Apache-2.0
#include "control/cli/completion.h"

#include <stdio.h>
#include <sys/wait.h>

#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

class CompletionTest : public CliTest {
 protected:
  // Runs a bash script; its output.
  std::string Bash(const std::string& script) {
    const std::string file = WriteFile("run.bash", script);
    FILE* pipe = popen(Cat("cd '", Path(""), "' && bash --norc '", file, "' 2>&1").c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::string out;
    char buffer[4096];
    while (const size_t n = fread(buffer, 1, sizeof(buffer), pipe)) out.append(buffer, n);
    EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 0) << out;
    return out;
  }

  // What bash offers for the last of `words`.
  std::vector<std::string> Complete(const std::vector<std::string>& words) {
    const std::string script = WriteFile("evenkeel.bash", Run({"completion", "bash"}).out);
    std::string line = "COMP_WORDS=(evenkeel";
    for (const std::string& word : words) line += Cat(" '", word, "'");
    const std::string out =
        Bash(Cat("set -u\nsource '", script, "'\n", line, ")\nCOMP_CWORD=", words.size(),
                 "\n_evenkeel\nprintf '%s\\n' ", "\"${COMPREPLY[@]+${COMPREPLY[@]}}\"\n"));
    const std::vector<std::string_view> lines = Split(out, '\n');
    return {lines.begin(), lines.end()};
  }
};

TEST_F(CompletionTest, BashOffersCommands) {
  EXPECT_THAT(Complete({""}), IsSupersetOf({"check", "plan", "apply", "help", "completion"}));
  EXPECT_THAT(Complete({"co"}), UnorderedElementsAre("completion", "confirm"));
  EXPECT_THAT(Complete({"-o", "json", "sta"}), UnorderedElementsAre("status"));
}

TEST_F(CompletionTest, BashOffersOptionsOfTheCommand) {
  EXPECT_THAT(Complete({"plan", "--de"}), UnorderedElementsAre("--detailed-exitcode"));
  EXPECT_THAT(Complete({"apply", "-f", "x", "--"}),
              AllOf(IsSupersetOf({"--reason", "--yes", "--validate-only", "--etag", "--socket"}),
                    Not(Contains("--against"))));
  EXPECT_THAT(Complete({"--ver"}), UnorderedElementsAre("--version"));
}

TEST_F(CompletionTest, BashOffersValues) {
  EXPECT_THAT(Complete({"status", "-o", ""}), UnorderedElementsAre("text", "json"));
  EXPECT_THAT(Complete({"get", "--output", ""}), UnorderedElementsAre("text", "json", "yaml"));
  EXPECT_THAT(Complete({"completion", ""}), UnorderedElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Complete({"rules", "LB00"}), IsSupersetOf({"LB001", "LB003", "LB007"}));
  EXPECT_THAT(Complete({"help", "ap"}), UnorderedElementsAre("apply"));
  EXPECT_THAT(Complete({"check", "x", "--fail-on", ""}), UnorderedElementsAre("error", "warn"));
  EXPECT_THAT(Complete({"apply", "--reason", ""}), IsEmpty());
}

TEST_F(CompletionTest, BashOffersFiles) {
  WriteFile("web one.yaml", "");
  EXPECT_THAT(Complete({"plan", "-f", "we"}), UnorderedElementsAre("web one.yaml"));
  EXPECT_THAT(Complete({"check", "we"}), UnorderedElementsAre("web one.yaml"));
}

TEST_F(CompletionTest, ZshAndFishNameEveryCommandAndOption) {
  const CommandTree tree;
  const CompletionSpec spec = Describe(tree.root());
  const std::string zsh = Run({"completion", "zsh"}).out, fish = Run({"completion", "fish"}).out;
  EXPECT_TRUE(zsh.starts_with("#compdef evenkeel\n"));
  for (const SubcommandSpec& command : spec.commands) {
    EXPECT_THAT(zsh, HasSubstr(Cat("        ", command.name, ")\n")));
    EXPECT_THAT(fish, HasSubstr(Cat("__fish_use_subcommand -a ", command.name, " ")));
    for (const OptionSpec& option : command.options) {
      EXPECT_THAT(zsh, HasSubstr("--" + option.long_name));
      EXPECT_THAT(fish, HasSubstr(Cat("'__fish_seen_subcommand_from ", command.name, "'",
                                      option.short_name.empty() ? "" : " -s ", option.short_name,
                                      " -l ", option.long_name)));
    }
  }
}

// Both shells quote with single quotes: an odd one would swallow the rest of the script.
TEST_F(CompletionTest, ZshAndFishQuotesAreBalanced) {
  for (const char* shell : {"zsh", "fish"}) {
    const std::string script = Run({"completion", shell}).out;
    for (std::string_view line : Split(script, '\n')) {
      int quotes = 0;
      for (size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
          ++i;  // \' inside (fish), '\'' between (zsh): the escaped one does not count
        } else if (line[i] == '\'') {
          ++quotes;
        }
      }
      EXPECT_EQ(quotes % 2, 0) << shell << ": " << line;
    }
  }
}

// By the shells themselves; scripts/bootstrap installs all three.
TEST_F(CompletionTest, ShellsAcceptTheirScripts) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = WriteFile(shell, Run({"completion", shell}).out);
    Bash(Cat(shell, " -n '", script, "'\n"));
  }
}

}  // namespace
}  // namespace evenkeel::cli
