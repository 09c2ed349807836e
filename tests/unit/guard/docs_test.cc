// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control/guard/rules_markdown.h"
#include "control/model/yaml.h"
#include "tests/unit/guard/states.h"

namespace evenkeel::guard {
namespace {

// EVENKEEL_UPDATE_DOCS=1 writes the file instead.
TEST(RulesMarkdown, IsWhatTheDocumentationSays) {
  const std::string path = std::string(EK_SOURCE_DIR) + "/docs/rules.md";
  if (std::getenv("EVENKEEL_UPDATE_DOCS") != nullptr) std::ofstream(path) << RulesMarkdown();
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), RulesMarkdown())
      << "docs/rules.md is not current; run this test with EVENKEEL_UPDATE_DOCS=1";
}

TEST(ConfigurationPage, HasAnExampleThatPasses) {
  std::ifstream file(std::string(EK_SOURCE_DIR) + "/docs/configuration.md");
  ASSERT_TRUE(file);
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const size_t begin = text.find("```yaml\n") + 8;
  const auto parsed = model::ParseYaml(text.substr(begin, text.find("```", begin) - begin), "page");
  ASSERT_TRUE(parsed.ok()) << parsed.diagnostics[0].ToString();
  EXPECT_EQ(testing::JudgeChange(nullptr, parsed.config).verdict.severity, Severity::kPass);
}

}  // namespace
}  // namespace evenkeel::guard
