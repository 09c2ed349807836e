// SPDX-License-Identifier: Apache-2.0
#include "control/guard/health_limits.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/guard/words.h"

namespace evenkeel::guard {
namespace {

constexpr int64_t kMinute = 60'000'000'000;

// max(1, 10 %), in whole servers.
size_t MostPerMinute(size_t serving) { return std::max<size_t>(1, serving / 10); }

}  // namespace

HealthLimit JudgeMassFailure(const PoolHealth& health) {
  return {
      .holds = 2 * health.healthy < health.serving,
      .observed = absl::StrCat(health.healthy, " of ", Count(health.serving, "server"), " healthy"),
      .limit = absl::StrCat("at least ", Percent(0.5))};
}

size_t RemovalsAllowed(size_t serving, std::span<const int64_t> removals_unix_ns,
                       int64_t now_unix_ns) {
  // A removal in the future is the clock's doing; to count it is the safe side.
  const auto recent =
      static_cast<size_t>(std::count_if(removals_unix_ns.begin(), removals_unix_ns.end(),
                                        [&](int64_t at) { return now_unix_ns - at < kMinute; }));
  return MostPerMinute(serving) - std::min(recent, MostPerMinute(serving));
}

HealthLimit JudgeRemovals(size_t wanted, size_t serving, std::span<const int64_t> removals_unix_ns,
                          int64_t now_unix_ns) {
  const size_t allowed = RemovalsAllowed(serving, removals_unix_ns, now_unix_ns);
  return {
      .holds = wanted > allowed,
      .observed = absl::StrCat(Count(wanted, "server"), " to take out, ", allowed, " allowed now"),
      .limit = absl::StrCat("at most ", MostPerMinute(serving), " of ", Count(serving, "server"),
                            " in a minute")};
}

}  // namespace evenkeel::guard
