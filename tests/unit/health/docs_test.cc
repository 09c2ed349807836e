// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control/health/states.h"

namespace evenkeel::health {
namespace {

// EVENKEEL_UPDATE_DOCS=1 writes the diagram instead.
TEST(HealthPage, ShowsTheStatesThatThereAre) {
  const std::string path = std::string(EK_SOURCE_DIR) + "/docs/health.md";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::stringstream stream;
  stream << file.rdbuf();
  std::string page = stream.str();
  const std::string fence = "```mermaid\n";
  const size_t begin = page.find(fence) + fence.size();
  ASSERT_NE(page.find(fence), std::string::npos);
  const size_t size = page.find("```", begin) - begin;
  if (std::getenv("EVENKEEL_UPDATE_DOCS") != nullptr) {
    page.replace(begin, size, StateDiagram());
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(begin, size), StateDiagram())
      << "docs/health.md is not current; run this test with EVENKEEL_UPDATE_DOCS=1";
}

TEST(States, HaveAWayToUpFromEach) {
  for (const Edge& edge : Edges()) {
    EXPECT_NE(edge.from, edge.to);
    EXPECT_TRUE(edge.to == Health::kUp || IsEdge(edge.to, Health::kUp)) << edge.when;
  }
}

}  // namespace
}  // namespace evenkeel::health
