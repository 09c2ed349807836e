// SPDX-License-Identifier: Apache-2.0
#include "control/model/diagnostic.h"

#include <gtest/gtest.h>

namespace evenkeel::model {
namespace {

TEST(SourceLocation, ShowsWhatIsKnown) {
  EXPECT_EQ((SourceLocation{"a.yaml", 3, 7}).ToString(), "a.yaml:3:7");
  EXPECT_EQ((SourceLocation{"a.yaml", 3, 0}).ToString(), "a.yaml:3");
  EXPECT_EQ((SourceLocation{"a.yaml", 0, 0}).ToString(), "a.yaml");
  EXPECT_EQ((SourceLocation{"", 3, 7}).ToString(), "3:7");
  EXPECT_EQ(SourceLocation{}.ToString(), "");
}

TEST(Diagnostic, JoinsItsParts) {
  EXPECT_EQ((Diagnostic{{"a.yaml", 3, 7}, "vips[0]", "is bad"}).ToString(),
            "a.yaml:3:7: vips[0]: is bad");
  EXPECT_EQ((Diagnostic{{}, "", "is bad"}).ToString(), "is bad");
}

TEST(SourceMap, FindsTheFieldOrTheNearestEnclosingOne) {
  SourceMap map;
  map.Add("", {"f", 1, 1});
  map.Add("pools[0]", {"f", 2, 5});
  map.Add("pools[0].backends[1].weight", {"f", 9, 9});
  EXPECT_EQ(map.Find("pools[0].backends[1].weight").line, 9u);
  EXPECT_EQ(map.Find("pools[0].backends[1].zone").line, 2u);
  EXPECT_EQ(map.Find("pools[0]").line, 2u);
  EXPECT_EQ(map.Find("pools[1].name").line, 1u);
  EXPECT_EQ(SourceMap().Find("vips[0]").line, 0u);
}

}  // namespace
}  // namespace evenkeel::model
