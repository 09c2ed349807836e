// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control/guard/rules_markdown.h"

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

}  // namespace
}  // namespace evenkeel::guard
