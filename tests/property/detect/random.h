// SPDX-License-Identifier: Apache-2.0
//
// Chance that is cheap enough for a month of seconds, and the same everywhere for one seed.
#ifndef EVENKEEL_TESTS_PROPERTY_DETECT_RANDOM_H_
#define EVENKEEL_TESTS_PROPERTY_DETECT_RANDOM_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace evenkeel::detect::simulation {

// splitmix64.
class Random {
 public:
  // Seeds that are neighbours must not give one sequence from different places on.
  explicit Random(uint64_t seed) : state_(Mixed(Mixed(seed + 1) ^ 0xd1b54a32d192ed03u)) {}

  uint64_t Next() { return Mixed(state_ += 0x9e3779b97f4a7c15u); }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }  // [0, 1)
  double Between(double low, double high) { return low + (high - low) * Uniform(); }
  uint64_t Below(uint64_t n) { return Next() % n; }
  bool Chance(double p) { return Uniform() < p; }

  // Equally likely in every order of magnitude.
  double LogBetween(double low, double high) { return low * std::pow(high / low, Uniform()); }
  double Exponential(double mean) { return -mean * std::log(1 - Uniform()); }
  double Pareto(double least, double alpha) { return least / std::pow(1 - Uniform(), 1 / alpha); }

  double Normal() {
    if (spare_) {
      spare_ = false;
      return next_;
    }
    double x, y, s;
    do {
      x = 2 * Uniform() - 1;
      y = 2 * Uniform() - 1;
      s = x * x + y * y;
    } while (s >= 1 || s == 0);
    const double scale = std::sqrt(-2 * std::log(s) / s);
    next_ = y * scale;
    spare_ = true;
    return x * scale;
  }

  double Poisson(double mean) {
    if (mean <= 0) return 0;
    if (mean > 30) return std::max(0.0, std::round(mean + std::sqrt(mean) * Normal()));
    const double limit = std::exp(-mean);
    double n = -1;
    for (double product = 1; product > limit; ++n) product *= 1 - Uniform();
    return n;
  }

 private:
  static uint64_t Mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  uint64_t state_;
  bool spare_ = false;
  double next_ = 0;
};

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_PROPERTY_DETECT_RANDOM_H_
