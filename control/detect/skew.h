// SPDX-License-Identifier: Apache-2.0
//
// Counts of a pool's servers in a window against their shares.
#ifndef EVENKEEL_CONTROL_DETECT_SKEW_H_
#define EVENKEEL_CONTROL_DETECT_SKEW_H_

#include <array>
#include <cstddef>
#include <vector>

#include "control/detect/alarm.h"
#include "control/detect/series.h"
#include "control/detect/thresholds.h"

namespace evenkeel::detect {

// How counts of this pool vary.
struct Variation {
  double unit = 1;        // counts that make one independent draw, at the least
  bool bounded = true;    // each connection is spread by itself
  double clustering = 0;  // of PoolSample; 0: no sample
  double largest = 0;     // part of the largest client, where clients come in clusters
};

struct Measure {
  double expected = 0, observed = 0, total = 0, share = 0;
  double ratio = 0;
  double z = 0, dispersion = 0;  // with what a sample knows of clients
  double plain_z = 0;            // without: whether it is so, whoever makes it
  bool sufficient = false;
};

// One window. The buffers are kept from tick to tick, and shared by all pools.
class WindowView {
 public:
  void Take(const Series& series, Window window, const std::vector<float>& shares);
  // Whether some server may be uneven: what follows is for those pools alone.
  bool Suspicious(const Thresholds& thresholds, const Variation& variation) const;
  Measure Of(size_t server, const Thresholds& thresholds, const Variation& variation) const;

  Window window() const { return window_; }
  double total() const { return total_; }
  float count(size_t server) const { return counts_[server]; }

 private:
  Window window_ = Window::k1;
  std::vector<float> counts_;
  const std::vector<float>* shares_ = nullptr;
  double total_ = 0;
  mutable double dispersion_ = -1;  // not computed yet
};

Evidence ToEvidence(const Measure& measure, Window window, const char* unit);

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_SKEW_H_
