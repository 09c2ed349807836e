// SPDX-License-Identifier: Apache-2.0
#include "control/detect/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace evenkeel::detect {
namespace {

constexpr double kMedianOfChiSquare = 0.4549;  // one degree of freedom
constexpr size_t kEnough = 5;
constexpr double kLeastExpected = 5;

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double ZOf(double observed, double total, double share, double dispersion) {
  const double p = std::clamp(share, 1e-6, 1 - 1e-6);
  const double variance = total * p * (1 - p) * dispersion;
  return variance > 0 ? (observed - total * share) / std::sqrt(variance) : 0;
}

double BoundedZ(double excess, double variance, double largest) {
  if (excess <= 0 || variance <= 0 || largest <= 0) return 0;
  const double u = largest * excess / variance;
  const double h = (1 + u) * std::log1p(u) - u;
  return std::sqrt(2 * variance / (largest * largest) * h);
}

double RobustDispersion(std::span<const float> counts, std::span<const float> shares) {
  double total = 0;
  for (const float count : counts) total += static_cast<double>(count);
  std::vector<double> expected, observed, ratios;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double e = total * static_cast<double>(shares[i]);
    if (e < kLeastExpected) continue;
    expected.push_back(e);
    observed.push_back(static_cast<double>(counts[i]));
    ratios.push_back(observed.back() / e);
  }
  if (expected.size() < kEnough) return 0;
  const double level = Median(ratios);  // what one server has too much, all others have too little
  if (level <= 0) return 0;
  std::vector<double> squares;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double off = observed[i] - level * expected[i];
    squares.push_back(off * off / (level * expected[i]));
  }
  return Median(squares) / kMedianOfChiSquare;
}

}  // namespace evenkeel::detect
