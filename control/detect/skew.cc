// SPDX-License-Identifier: Apache-2.0
#include "control/detect/skew.h"

#include <algorithm>

#include "control/detect/statistics.h"

namespace evenkeel::detect {

void WindowView::Take(const Series& series, Window window, const std::vector<float>& shares) {
  window_ = window;
  shares_ = &shares;
  dispersion_ = -1;
  series.Sum(window, counts_);
  float total = 0;
  for (const float count : counts_) total += count;
  total_ = static_cast<double>(total);
}

bool WindowView::Suspicious(const Thresholds& thresholds, const Variation& variation) const {
  const auto total = static_cast<float>(total_);
  const auto enough = static_cast<float>(thresholds.min_expected * variation.unit);
  if (total < enough) return false;
  const auto much = static_cast<float>(thresholds.ticket_ratio);
  const auto little = static_cast<float>(thresholds.starved_ratio);
  const float all = total * static_cast<float>(thresholds.everything);
  const float stray = total * static_cast<float>(thresholds.stray_share);
  unsigned hits = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    const float expected = total * (*shares_)[i], count = counts_[i];
    const bool uneven = (expected >= enough) & ((count >= much * expected) |
                                                (count <= little * expected) | (count >= all));
    hits += static_cast<unsigned>(uneven | ((expected == 0) & (count >= stray)));
  }
  return hits != 0;
}

Measure WindowView::Of(size_t server, const Thresholds& thresholds,
                       const Variation& variation) const {
  if (dispersion_ < 0) {
    const double least = thresholds.dispersion * variation.unit;
    dispersion_ = std::max(least, RobustDispersion(counts_, *shares_));
    if (variation.bounded) {
      dispersion_ = std::min(dispersion_, std::max(least, thresholds.max_dispersion));
    }
  }
  const auto share = static_cast<double>((*shares_)[server]);
  Measure measure;
  measure.total = total_;
  measure.observed = static_cast<double>(counts_[server]);
  measure.expected = total_ * share;
  measure.share = share;
  measure.ratio = measure.expected > 0 ? measure.observed / measure.expected : 0;
  measure.dispersion = std::max(dispersion_, variation.clustering * total_);
  measure.z = ZOf(measure.observed, total_, share, measure.dispersion);
  if (variation.largest > 0 && measure.z > 0) {
    const double pairs = std::max(variation.clustering, variation.largest * variation.largest);
    const double excess = (measure.observed - measure.expected) / total_;
    measure.z =
        std::min(measure.z, BoundedZ(excess, share * (1 - share) * pairs, variation.largest));
  }
  measure.plain_z = ZOf(measure.observed, total_, share, dispersion_);
  measure.sufficient = measure.expected >= thresholds.min_expected * variation.unit;
  return measure;
}

Evidence ToEvidence(const Measure& measure, Window window, const char* unit) {
  Evidence evidence;
  evidence.unit = unit;
  evidence.window_s = SecondsOf(window);
  evidence.expected = measure.expected;
  evidence.observed = measure.observed;
  evidence.expected_share = measure.share;
  evidence.observed_share = measure.total > 0 ? measure.observed / measure.total : 0;
  evidence.ratio = measure.ratio;
  evidence.z = measure.z;
  evidence.dispersion = measure.dispersion;
  return evidence;
}

}  // namespace evenkeel::detect
