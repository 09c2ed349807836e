// SPDX-License-Identifier: Apache-2.0
#include "tally.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace evenkeel::load {

void Tally::Add(const Tally& other) {
  requests += other.requests;
  failed += other.failed;
  repeated += other.repeated;
  slowest = std::max(slowest, other.slowest);
  for (const auto& [name, count] : other.backends) backends[name] += count;
  for (const auto& [text, count] : other.errors) errors[text] += count;
}

std::string Tally::ToJson(std::string_view kind, std::chrono::duration<double> at) const {
  return nlohmann::json{
      {"kind", kind},         {"at", at.count()},
      {"requests", requests}, {"failed", failed},
      {"repeated", repeated}, {"slowest_ms", static_cast<double>(slowest.count()) / 1000},
      {"backends", backends}, {"errors", errors},
  }
      .dump();
}

void Recorder::Record(const Answer& answer, bool will_repeat, std::chrono::microseconds took) {
  Tally one;
  one.slowest = took;
  if (!answer.error.empty()) one.errors[answer.error] = 1;
  if (will_repeat) {
    one.repeated = 1;
  } else {
    one.requests = 1;
    one.failed = answer.error.empty() ? 0 : 1;
    if (answer.error.empty()) one.backends[answer.backend] = 1;
  }
  const std::lock_guard lock(mutex_);
  total_.Add(one);
  interval_.Add(one);
}

Tally Recorder::TakeInterval() {
  const std::lock_guard lock(mutex_);
  return std::exchange(interval_, {});
}

Tally Recorder::Total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace evenkeel::load
