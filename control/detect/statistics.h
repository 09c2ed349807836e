// SPDX-License-Identifier: Apache-2.0
//
// The test of a share (docs/detector.md#the-test).
#ifndef EVENKEEL_CONTROL_DETECT_STATISTICS_H_
#define EVENKEEL_CONTROL_DETECT_STATISTICS_H_

#include <span>

namespace evenkeel::detect {

// One-sample proportion test: standard deviations by which `observed` of `total` is over `share`,
// where the variance is `dispersion` times that of independent draws.
double ZOf(double observed, double total, double share, double dispersion);

// The same by Bennett's inequality (Boucheron, Lugosi, Massart: Concentration Inequalities, 2013,
// theorem 2.9), for few large draws, whose sum has a heavier tail than the normal distribution's:
// `excess` of the whole over a share, where the largest draw is `largest` of the whole.
double BoundedZ(double excess, double variance, double largest);

// Variance of the counts around their shares over that of independent draws, from medians: up to
// half of the servers may be as far off as they like, and the fault that is looked for does not
// hide itself. 0: fewer than five servers with enough to go by.
double RobustDispersion(std::span<const float> counts, std::span<const float> shares);

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_STATISTICS_H_
