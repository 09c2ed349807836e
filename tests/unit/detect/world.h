// SPDX-License-Identifier: Apache-2.0
//
// A detector with one pool or more, and counters that go as the test says, second by second.
// Without chance: each server gets exactly what it is told.
#ifndef EVENKEEL_TESTS_UNIT_DETECT_WORLD_H_
#define EVENKEEL_TESTS_UNIT_DETECT_WORLD_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/detect/detector.h"

namespace evenkeel::detect::testing {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kStart = 1'700'000'000 * kSecond;  // Unix time of the first tick

model::IpAddress Address(int server);  // 10.0.0.1 is server 1
model::IpAddress ClientAddress(int client);

// Servers "web-1"... with equal shares, of revision 41 and generation 7, an hour old.
PoolPlan EvenPool(const std::string& name, int servers);
void SetShares(const std::vector<double>& shares, PoolPlan* plan);  // intended and built

class World {
 public:
  explicit World(PoolPlan plan = EvenPool("web", 10), const Thresholds& thresholds = {});

  // What each server of the plan gets in a second. Packets and bytes follow new flows, ten packets
  // of 1,000 bytes each, unless they are given.
  struct Rates {
    std::vector<double> flows;
    std::vector<double> packets{}, bytes{};
  };
  static Rates Even(const PoolPlan& plan, double flows);
  // `times` its share for server `i` (from 0), the rest for the others in proportion.
  static Rates Skewed(const PoolPlan& plan, double flows, size_t i, double times);

  void Publish(PoolPlan plan);
  std::vector<AlarmEvent> Second(const Rates& rates);
  // Until an event of this kind comes; seconds it took, or `limit` + 1.
  int Until(AlarmEvent::What what, const Rates& rates, int limit);
  std::vector<AlarmEvent> Run(int seconds, const Rates& rates);

  const Alarm* Find(Kind kind);
  PoolReport Report() { return *detector.Report(plan.pool, now); }

  Detector detector;
  PoolPlan plan;
  Time now{1000 * kSecond, kStart};
  // Of the next readings.
  Readback readback = Readback::kMatches;
  uint32_t moving = 0;
  std::map<size_t, Health> health;  // else up
  std::vector<LaneReading> lanes;
  std::optional<uint32_t> generation;  // else the plan's
  bool read = true;

 private:
  std::vector<ServerReading> counters_;
  std::vector<std::array<double, 3>> exact_;
  std::vector<Alarm> alarms_;
};

// `n` packets that open flows of one client to one server, or of as many clients as packets.
void SampleClients(World& world, int n, int server, int clients);

}  // namespace evenkeel::detect::testing

#endif  // EVENKEEL_TESTS_UNIT_DETECT_WORLD_H_
