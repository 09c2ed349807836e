// SPDX-License-Identifier: Apache-2.0
#include "control/detect/statistics.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace evenkeel::detect {
namespace {

TEST(ZTest, KnownValues) {
  // 300 of 1,000 where 100 are expected: 200 / sqrt(1000 * 0.1 * 0.9).
  EXPECT_NEAR(ZOf(300, 1000, 0.1, 1), 21.08, 0.01);
  EXPECT_NEAR(ZOf(300, 1000, 0.1, 4), 10.54, 0.01);
  EXPECT_NEAR(ZOf(0, 1000, 0.1, 1), -10.54, 0.01);
  EXPECT_EQ(ZOf(100, 1000, 0.1, 1), 0);
  EXPECT_EQ(ZOf(0, 0, 0.1, 1), 0);
  EXPECT_EQ(ZOf(1000, 1000, 1, 1), 0);  // the only server
}

std::vector<float> Draw(std::mt19937_64& random, const std::vector<float>& shares, int draws,
                        int cluster) {
  std::vector<float> counts(shares.size(), 0);
  std::discrete_distribution<size_t> server(shares.begin(), shares.end());
  for (int i = 0; i < draws; i += cluster) counts[server(random)] += static_cast<float>(cluster);
  return counts;
}

TEST(DispersionTest, IsOneForIndependentDrawsAndTheClusterForClusters) {
  std::mt19937_64 random(1);
  const std::vector<float> shares(40, 1 / 40.0f);
  for (const int cluster : {1, 5, 20}) {
    double sum = 0;
    for (int trial = 0; trial < 200; ++trial) {
      sum += RobustDispersion(Draw(random, shares, 40'000, cluster), shares);
    }
    EXPECT_NEAR(sum / 200, cluster, 0.25 * cluster) << cluster;
  }
}

// The skew that is looked for must not pass for chance.
TEST(DispersionTest, IsNotMovedByFewOutliers) {
  std::mt19937_64 random(2);
  std::vector<float> actual(10, 0.7f / 9);
  actual[4] = 0.3f;
  const std::vector<float> expected(10, 0.1f);
  double sum = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const double dispersion = RobustDispersion(Draw(random, actual, 10'000, 1), expected);
    EXPECT_LT(dispersion, 8);
    sum += dispersion;
  }
  EXPECT_LT(sum / 200, 1.5);
}

TEST(DispersionTest, FewServersSayNothing) {
  const std::vector<float> shares(4, 0.25f), counts{100, 200, 300, 400};
  EXPECT_EQ(RobustDispersion(counts, shares), 0);
  const std::vector<float> many(10, 0.1f), few(10, 1);
  EXPECT_EQ(RobustDispersion(few, many), 0);
}

}  // namespace
}  // namespace evenkeel::detect
