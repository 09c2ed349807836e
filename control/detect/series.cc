// SPDX-License-Identifier: Apache-2.0
#include "control/detect/series.h"

#include <algorithm>

namespace evenkeel::detect {
namespace {

constexpr size_t kSeconds = 10, kTens = 7, kMinutes = 6;
constexpr int64_t kAll = 420;  // after so many seconds nothing is left

}  // namespace

double SecondsOf(Window window) {
  switch (window) {
    case Window::k1:
      return 1;
    case Window::k3:
      return 3;
    case Window::k10:
      return 10;
    case Window::k60:
      return 60;
    case Window::k300:
      return 300;
  }
  return 0;
}

Series::Series(size_t servers) : servers_(servers) {
  for (auto [level, buckets] :
       {std::pair(&seconds_, kSeconds), std::pair(&tens_, kTens), std::pair(&minutes_, kMinutes)}) {
    level->buckets = buckets;
    level->counts.assign(buckets * servers, 0);
  }
}

void Series::Next(Level& level) {
  level.current = (level.current + 1) % level.buckets;
  std::fill_n(level.counts.begin() + static_cast<ptrdiff_t>(level.current * servers_), servers_,
              0.0f);
}

void Series::Advance(int64_t seconds) {
  if (seconds >= kAll) {
    Clear();
    second_ += seconds;
    return;
  }
  for (; seconds > 0; --seconds) {
    ++second_;
    Next(seconds_);
    if (second_ % 10 == 0) Next(tens_);
    if (second_ % 60 == 0) Next(minutes_);
  }
}

void Series::Add(size_t server, double n) {
  for (Level* level : {&seconds_, &tens_, &minutes_}) {
    level->counts[level->current * servers_ + server] += static_cast<float>(n);
  }
}

void Series::Clear() {
  for (Level* level : {&seconds_, &tens_, &minutes_}) {
    std::fill(level->counts.begin(), level->counts.end(), 0.0f);
  }
}

void Series::AddUp(const Level& level, size_t buckets, std::vector<float>& out) const {
  out.assign(servers_, 0.0f);
  for (size_t i = 0; i < buckets; ++i) {
    const size_t bucket = (level.current + level.buckets - i) % level.buckets;
    const float* counts = level.counts.data() + bucket * servers_;
    for (size_t s = 0; s < servers_; ++s) out[s] += counts[s];
  }
}

void Series::Sum(Window window, std::vector<float>& out) const {
  switch (window) {
    case Window::k1:
      return AddUp(seconds_, 1, out);
    case Window::k3:
      return AddUp(seconds_, 3, out);
    case Window::k10:
      return AddUp(seconds_, kSeconds, out);
    case Window::k60:
      return AddUp(tens_, kTens, out);
    case Window::k300:
      return AddUp(minutes_, kMinutes, out);
  }
}

}  // namespace evenkeel::detect
