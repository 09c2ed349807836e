// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "tests/unit/bench/sample.h"

namespace evenkeel::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Values of `attribute` in the elements that match `element`, in order.
std::vector<double> Values(const std::string& svg, const std::string& element,
                           const std::string& attribute) {
  std::vector<double> values;
  const std::regex elements("<" + element + "[^>]*>"), wanted(" " + attribute + "=\"([0-9.]+)\"");
  for (std::sregex_iterator it(svg.begin(), svg.end(), elements), end; it != end; ++it) {
    const std::string text = it->str();
    std::smatch match;
    if (std::regex_search(text, match, wanted)) values.push_back(std::stod(match[1]));
  }
  return values;
}

TEST(PlotTest, BarsEndAtTheMedianOnTheFloorsScale) {
  const std::string svg = RatioPlot(Sample());
  const auto widths = Values(svg, "rect x=\"210.0\"[^>]*rx", "width");
  const double floor = Values(svg, "line[^>]*class=\"floor\"", "x1").at(0) - 210;
  ASSERT_EQ(widths.size(), 3u);
  const double expected[] = {2, 1.5, 3};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(widths[i] / floor, expected[i], 0.01);
}

TEST(PlotTest, WhiskersGoFromMinimumToMaximum) {
  Results one = Sample();
  one.scenarios.pop_back();
  const std::string svg = RatioPlot(one);
  const double floor = Values(svg, "line[^>]*class=\"floor\"", "x1").at(0) - 210;
  const auto from = Values(svg, "line[^>]*class=\"whisker\"", "x1");
  const auto to = Values(svg, "line[^>]*class=\"whisker\"", "x2");
  ASSERT_EQ(from.size(), 3u) << "and an end at both";
  EXPECT_NEAR((from[0] - 210) / floor, 1.9, 0.01);
  EXPECT_NEAR((to[0] - 210) / floor, 2.3, 0.01);
}

// One disturbed round must not make all bars short.
TEST(PlotTest, AWhiskerFarOutIsCutAndSaidToBe) {
  Results noisy = Sample();
  EXPECT_THAT(RatioPlot(noisy), Not(HasSubstr("cut at the edge")));
  noisy.scenarios[0].programs[0].ratio.max = 100;
  const std::string svg = RatioPlot(noisy);
  EXPECT_THAT(svg, HasSubstr("cut at the edge"));
  for (const double x : Values(svg, "line", "x2")) EXPECT_LE(x, 860);
}

// Nor must one scenario that costs ten times what the others do.
TEST(PlotTest, ABarFarOutIsCutAndMarked) {
  const Results plain = Sample();
  EXPECT_THAT(RatioPlot(plain), Not(HasSubstr("»")));
  Results far = plain;
  far.scenarios.push_back(far.scenarios[0]);
  far.scenarios.back().programs.resize(1);
  far.scenarios.back().programs[0].ratio = {.min = 28, .median = 31, .max = 36};
  const std::string svg = RatioPlot(far);
  EXPECT_THAT(svg, AllOf(HasSubstr("»"), HasSubstr("31.00×"), HasSubstr("cut at the edge")));
  EXPECT_GT(Values(svg, "line[^>]*class=\"floor\"", "x1").at(0), 210 + 580 / 12.0);
  const auto widths = Values(svg, "rect x=\"210.0\"[^>]*rx", "width");
  ASSERT_EQ(widths.size(), 4u);
  EXPECT_NEAR(widths[3], 860 - 210 - 70, 0.1);
}

TEST(PlotTest, IsForLightAndDark) {
  const std::string svg = RatioPlot(Sample());
  EXPECT_THAT(svg, HasSubstr("@media (prefers-color-scheme: dark)"));
  EXPECT_THAT(svg, Not(HasSubstr("fill=\""))) << "colours of no scheme";
}

TEST(PlotTest, ALegendOnlyWhereThereIsAChoice) {
  Results one = Sample();
  EXPECT_THAT(RatioPlot(one), HasSubstr(">other</text>"));
  one.scenarios[1].programs.pop_back();
  EXPECT_THAT(RatioPlot(one), Not(HasSubstr(">evenkeel</text>")));
}

TEST(PlotTest, EscapesNames) {
  Results odd = Sample();
  odd.scenarios[1].programs[1].name = "a<b>&\n";
  const std::string svg = RatioPlot(odd);
  EXPECT_THAT(svg, HasSubstr(">a&lt;b&gt;&amp;</text>"));
}

TEST(PlotTest, RefusesNothing) { EXPECT_THROW(RatioPlot({}), std::invalid_argument); }

}  // namespace
}  // namespace evenkeel::bench
