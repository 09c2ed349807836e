// SPDX-License-Identifier: Apache-2.0
#include "control/health/server_health.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/guard/words.h"

namespace evenkeel::health {
namespace {

constexpr double kSecond = 1e9;

std::string Failed(uint32_t probes, const std::string& cause) {
  const std::string text = absl::StrCat(guard::Count(probes, "probe"), " failed");
  return cause.empty() ? text : absl::StrCat(text, ": ", cause);
}

std::string Seconds(int64_t ns) { return absl::StrCat(static_cast<double>(ns) / kSecond, " s"); }

}  // namespace

std::optional<Change> ServerHealth::Note(const ProbeResult& result, const model::HealthCheck& check,
                                         int64_t steady_ns) {
  if (result.ok) {
    failures_ = 0;
    if (successes_ < check.rise) ++successes_;
    return Succeed(check, steady_ns);
  }
  successes_ = 0;
  if (failures_ < check.fall) ++failures_;
  return Fail(result, check, steady_ns);
}

std::optional<Change> ServerHealth::Succeed(const model::HealthCheck& check, int64_t steady_ns) {
  if (state_ == Health::kUp || successes_ < check.rise) return std::nullopt;
  if (state_ == Health::kRecovering) return Tick(steady_ns);
  const std::string cause = absl::StrCat(guard::Count(successes_, "probe"), " succeeded");
  if (state_ == Health::kDown && steady_ns < hold_until_ns_) {
    return Enter(Health::kRecovering,
                 absl::StrCat(cause, ", held down for ", Seconds(flaps_.hold_ns())), steady_ns);
  }
  return Enter(Health::kUp, cause, steady_ns);
}

std::optional<Change> ServerHealth::Fail(const ProbeResult& result, const model::HealthCheck& check,
                                         int64_t steady_ns) {
  switch (state_) {
    case Health::kWaiting:
    case Health::kDown:
      return std::nullopt;
    case Health::kRecovering:
      return Enter(Health::kDown, Failed(1, result.cause), steady_ns);
    case Health::kUnknown:
    case Health::kUp:
      break;
  }
  if (failures_ < check.fall) return std::nullopt;
  StartHold(steady_ns);
  return Enter(Health::kDown, Failed(failures_, result.cause), steady_ns);
}

std::optional<Change> ServerHealth::Tick(int64_t steady_ns) {
  if (state_ != Health::kRecovering || steady_ns < hold_until_ns_) return std::nullopt;
  return Enter(Health::kUp,
               absl::StrCat("probes succeed, was held down for ", Seconds(flaps_.hold_ns())),
               steady_ns);
}

Change ServerHealth::Wait() {
  return Enter(Health::kWaiting, "joined the pool, and its check says start: down", 0);
}

Change ServerHealth::AssumeDown(int64_t steady_ns) {
  return Enter(Health::kDown, "was out of the table before the restart", steady_ns);
}

void ServerHealth::Remember(const Flaps& flaps, int64_t hold_left_ns, int64_t steady_ns) {
  flaps_ = flaps;
  if (state_ == Health::kDown) hold_until_ns_ = steady_ns + hold_left_ns;
}

void ServerHealth::StartHold(int64_t steady_ns) {
  if (state_ == Health::kUp) flaps_.Rest(steady_ns - since_ns_);
  hold_until_ns_ = steady_ns + flaps_.Fall();
}

Change ServerHealth::Enter(Health to, std::string cause, int64_t steady_ns) {
  Change change{state_, to, std::move(cause)};
  const auto down = [](Health h) { return h == Health::kDown || h == Health::kRecovering; };
  if (!(down(state_) && down(to))) since_ns_ = steady_ns;
  state_ = to;
  cause_ = change.cause;
  return change;
}

}  // namespace evenkeel::health
