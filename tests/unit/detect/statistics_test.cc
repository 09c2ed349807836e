// SPDX-License-Identifier: Apache-2.0
#include "control/detect/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
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

// Against the exact tail: so many draws, each a part of the whole, that go to a share of 4 %.
TEST(BoundedZTest, IsNeverSurerThanTheExactTail) {
  for (const int draws : {5, 20, 100, 1000}) {
    const double p = 0.04, part = 1.0 / draws, variance = p * (1 - p) * part;
    for (int hits = static_cast<int>(p * draws) + 1; hits <= draws; hits += 1 + draws / 50) {
      const double z = BoundedZ(hits * part - p, variance, part);
      double tail = 0;
      for (int k = hits; k <= draws; ++k) {
        tail += std::exp(std::lgamma(draws + 1) - std::lgamma(k + 1) - std::lgamma(draws - k + 1) +
                         k * std::log(p) + (draws - k) * std::log1p(-p));
      }
      EXPECT_LE(tail, std::exp(-z * z / 2) * (1 + 1e-9)) << draws << " " << hits;
    }
  }
  EXPECT_EQ(BoundedZ(-0.1, 0.01, 0.1), 0);
}

TEST(BoundedZTest, IsTheNormalOneForManySmallDraws) {
  const double p = 0.1, part = 1e-6, variance = p * (1 - p) * part;
  EXPECT_NEAR(BoundedZ(6 * std::sqrt(variance), variance, part), 6, 0.05);
  // A client of 4 % and eight of one: 13 % on a server with 4 % of the shares.
  EXPECT_NEAR(BoundedZ(0.129, 3.3e-4, 0.037), 3.7, 0.1);
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
