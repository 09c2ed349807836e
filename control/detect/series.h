// SPDX-License-Identifier: Apache-2.0
//
// One counter of each server of a pool over the last minutes: buckets of 1, 10 and 60 s, of fixed
// size. 92 bytes a server.
#ifndef EVENKEEL_CONTROL_DETECT_SERIES_H_
#define EVENKEEL_CONTROL_DETECT_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace evenkeel::detect {

// The last second, 3 s, 10 s, 60 s (up to 10 s more: the bucket that fills), 5 min (up to 1 min
// more).
enum class Window { k1, k3, k10, k60, k300 };
double SecondsOf(Window window);

class Series {
 public:
  explicit Series(size_t servers = 0);

  // A new second begins, `seconds` after the one before (at least 1).
  void Advance(int64_t seconds);
  void Add(size_t server, double n);
  void Clear();

  // Of each server; `out` is resized.
  void Sum(Window window, std::vector<float>& out) const;

 private:
  // Buckets one after the other, each with a number for each server.
  struct Level {
    size_t buckets = 0;
    size_t current = 0;
    std::vector<float> counts;
  };
  void Next(Level& level);
  void AddUp(const Level& level, size_t buckets, std::vector<float>& out) const;

  size_t servers_;
  int64_t second_ = 0;
  Level seconds_, tens_, minutes_;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_SERIES_H_
