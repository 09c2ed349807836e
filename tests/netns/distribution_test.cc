// SPDX-License-Identifier: Apache-2.0
//
// Connections are spread as the weights ask. Bounds are four standard deviations of a binomial
// distribution: a right balancer fails once in some thousand runs, a wrong one always.
#include <cmath>

#include "fixture.h"

namespace evenkeel::testing {
namespace {

struct Spread {
  std::string name;
  std::vector<int> weights;

  friend std::ostream& operator<<(std::ostream& out, const Spread& v) { return out << v.name; }
};

class DistributionTest : public LabTest, public ::testing::WithParamInterface<Spread> {};

TEST_P(DistributionTest, SharesFollowWeights) {
  State state;
  int sum = 0;
  state.backends = static_cast<int>(GetParam().weights.size());
  for (int i = 0; i < state.backends; ++i) {
    state.extra[i + 1] = "weight: " + std::to_string(GetParam().weights[i]);
    sum += GetParam().weights[i];
  }
  MakeLab({.backends = state.backends, .config = state.ToYaml()});
  const Load::Summary summary = Load(lab(), {.rate = 1000, .seconds = 5}).Wait();
  ExpectNoneLost(summary);
  ASSERT_GT(summary.requests, 2000u);
  const nlohmann::json status = lab().Status();
  for (int i = 1; i <= state.backends; ++i) {
    const std::string name = "b" + std::to_string(i);
    const double share = static_cast<double>(GetParam().weights[i - 1]) / sum;
    const double deviation = std::sqrt(share * (1 - share) / static_cast<double>(summary.requests));
    EXPECT_NEAR(summary.Share(name), share, 4 * deviation) << name;
    const nlohmann::json entry = FindBackend(status, "four", name);
    EXPECT_NEAR(entry.at("share"), share, 0.0001) << entry;
    EXPECT_EQ(entry.at("counter").at("new_flows"), summary.backends.at(name)) << entry;
  }
}

const Spread kSpreads[] = {
    {"equal", {100, 100, 100, 100}},
    {"weighted", {100, 150, 200, 250}},
    {"sevenBackends", {100, 100, 100, 100, 100, 100, 100}},
};
INSTANTIATE_TEST_SUITE_P(Spreads, DistributionTest, ::testing::ValuesIn(kSpreads),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace evenkeel::testing
