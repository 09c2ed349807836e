// SPDX-License-Identifier: Apache-2.0
#include "control/cli/duration.h"

#include "absl/time/time.h"
#include "control/cli/cat.h"

namespace evenkeel::cli {
namespace {

// "90s", "2m", "24h": the largest unit that has no remainder.
std::string Show(std::chrono::seconds time) {
  constexpr int64_t kMinute = 60, kHour = 3600;
  if (time.count() % kHour == 0) return Cat(time.count() / kHour, "h");
  if (time.count() % kMinute == 0) return Cat(time.count() / kMinute, "m");
  return Cat(time.count(), "s");
}

}  // namespace

absl::StatusOr<std::chrono::seconds> ReadDuration(std::string_view option, const std::string& text,
                                                  std::chrono::seconds least,
                                                  std::chrono::seconds most) {
  absl::Duration time;
  if (!absl::ParseDuration(text, &time)) {
    return absl::InvalidArgumentError(
        Cat(option, " ", text, " is no duration; write 90s, 2m or 1h"));
  }
  if (time < absl::FromChrono(least) || time > absl::FromChrono(most) ||
      time % absl::Seconds(1) != absl::ZeroDuration()) {
    return absl::InvalidArgumentError(Cat(option, " ", text, " is not from ", Show(least), " to ",
                                          Show(most), ", in whole seconds"));
  }
  return absl::ToChronoSeconds(time);
}

absl::StatusOr<std::chrono::milliseconds> ReadMilliseconds(std::string_view option,
                                                           const std::string& text,
                                                           std::chrono::milliseconds least,
                                                           std::chrono::milliseconds most) {
  absl::Duration time;
  if (!absl::ParseDuration(text, &time)) {
    return absl::InvalidArgumentError(Cat(option, " ", text, " is no duration; write 300ms or 2s"));
  }
  if (time < absl::FromChrono(least) || time > absl::FromChrono(most) ||
      time % absl::Milliseconds(1) != absl::ZeroDuration()) {
    return absl::InvalidArgumentError(Cat(option, " ", text, " is not from ", least.count(),
                                          "ms to ", most.count(), "ms, in whole milliseconds"));
  }
  return absl::ToChronoMilliseconds(time);
}

}  // namespace evenkeel::cli
