// SPDX-License-Identifier: Apache-2.0
//
// One pool "web" on a clock that the test moves; servers are called by their number, 1 and up.
#ifndef EVENKEEL_TESTS_UNIT_HEALTH_SCENE_H_
#define EVENKEEL_TESTS_UNIT_HEALTH_SCENE_H_

#include <string>
#include <vector>

#include "control/health/monitor.h"

namespace evenkeel::health::testing {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kUnixStart = 1'798'804'800 * kSecond;

// Servers 1..n, checked with the defaults: rise 2, fall 3.
model::Config Checked(size_t n);

class Scene {
 public:
  explicit Scene(const model::Config& config, Options options = {});

  Time now() const { return {steady_ns_, kUnixStart + steady_ns_}; }
  model::IpAddress Address(int server) const;

  void Pass(int64_t seconds) { steady_ns_ += seconds * kSecond; }
  void Configure(const model::Config& config);
  // As many results of one kind as it takes.
  void Fail(const std::vector<int>& servers);
  void Succeed(const std::vector<int>& servers);
  void Refuse(int server, const std::string& why);

  // Asks for a decision and keeps it.
  const PoolDecision& Decide();
  const Decision& last() const { return last_; }
  // Of a new decision: the numbers of those that are out; those held, as "3: rate".
  std::vector<int> Out();
  std::vector<std::string> Held();
  // Of the last decision, as "1 up -> down: 3 probes failed: refused".
  std::vector<std::string> Transitions() const;

  Monitor& monitor() { return monitor_; }

 private:
  int NumberOf(const model::IpAddress& address) const;

  model::Config config_;
  Monitor monitor_;
  int64_t steady_ns_ = 1000 * kSecond;
  Decision last_;
};

}  // namespace evenkeel::health::testing

#endif  // EVENKEEL_TESTS_UNIT_HEALTH_SCENE_H_
