// SPDX-License-Identifier: Apache-2.0
//
// The manual names what the program has.
#include <fstream>

#include "control/cli/cat.h"
#include "control/cli/command.h"
#include "control/cli/completion.h"
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

using testing::HasSubstr;

std::string Read(const std::string& path) {
  std::ifstream in(Cat(EK_SOURCE_DIR, "/", path));
  std::string text(std::istreambuf_iterator<char>(in), {});
  EXPECT_FALSE(text.empty()) << path;
  return text;
}

// troff writes a literal dash as \-.
std::string Dashes(std::string text) {
  for (size_t at = 0; (at = text.find("\\-", at)) != std::string::npos;) text.erase(at, 1);
  return text;
}

class DocsTest : public testing::TestWithParam<const char*> {};

TEST_P(DocsTest, NamesEveryCommandAndOption) {
  const std::string text = Dashes(Read(GetParam()));
  const CommandTree tree;
  const CompletionSpec spec = Describe(tree.root());
  for (const SubcommandSpec& command : spec.commands) {
    EXPECT_THAT(text, HasSubstr(command.name));
    for (const OptionSpec& option : command.options) {
      EXPECT_THAT(text, HasSubstr("--" + option.long_name)) << command.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DocsTest, testing::Values("docs/cli.md", "docs/man/evenkeel.1"),
                         [](const auto& tested) { return tested.index == 0 ? "page" : "man"; });

TEST(HelpTest, FitsIntoATerminal) {
  const CommandTree tree;
  std::vector<std::string> pages = {tree.root().help()};
  for (const CLI::App* app : tree.root().get_subcommands({})) pages.push_back(app->help());
  for (const std::string& page : pages) {
    for (std::string_view line : Split(page, '\n')) EXPECT_LE(line.size(), 100u) << line;
  }
}

}  // namespace
}  // namespace evenkeel::cli
