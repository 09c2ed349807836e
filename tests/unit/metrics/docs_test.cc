// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control/metrics/metric_list.h"

namespace evenkeel::metrics {
namespace {

constexpr char kBegin[] = "<!-- the list: from control/metrics/metric_list.cc -->\n";

// EVENKEEL_UPDATE_DOCS=1 writes the list of docs/metrics.md instead.
TEST(MetricsPage, HasTheList) {
  const std::string path = std::string(EK_SOURCE_DIR) + "/docs/metrics.md";
  std::ifstream file(path);
  std::stringstream page;
  page << file.rdbuf();
  std::string text = page.str();
  const size_t begin = text.find(kBegin);
  ASSERT_NE(begin, std::string::npos) << path << " lacks the line " << kBegin;
  const std::string head = text.substr(0, begin + sizeof(kBegin) - 1);
  if (std::getenv("EVENKEEL_UPDATE_DOCS") != nullptr) {
    text = head + Markdown();
    std::ofstream(path) << text;
  }
  EXPECT_EQ(text, head + Markdown())
      << "docs/metrics.md is not current; run this test with EVENKEEL_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace evenkeel::metrics
