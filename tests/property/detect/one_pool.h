// SPDX-License-Identifier: Apache-2.0
//
// A detector with one pool of equal servers, and flows by chance.
#ifndef EVENKEEL_TESTS_PROPERTY_DETECT_ONE_POOL_H_
#define EVENKEEL_TESTS_PROPERTY_DETECT_ONE_POOL_H_

#include <string>
#include <vector>

#include "tests/property/detect/synthetic_pool.h"

namespace evenkeel::detect::simulation {

class OnePool {
 public:
  OnePool(int servers, uint64_t seed) : random(seed) {
    plan.pool = "web";
    plan.revision = 41;
    plan.generation = 7;
    plan.since_unix_ns = kStart - 3600 * kSecond;
    for (int i = 0; i < servers; ++i) {
      ServerPlan& server = plan.servers.emplace_back();
      server.address = Address(static_cast<size_t>(i));
      server.name = "web-" + std::to_string(i);
      server.intended = server.built = 1.0 / servers;
    }
    reading.pools.resize(1);
    reading.pools[0].readback = Readback::kMatches;
    reading.pools[0].servers.resize(plan.servers.size());
    for (ServerReading& server : reading.pools[0].servers) server.health = Health::kUp;
    Configure();
    Tick();
  }

  void Configure() {
    reading.pools[0].pool = plan.pool;
    reading.pools[0].generation = plan.generation;
    for (size_t i = 0; i < plan.servers.size(); ++i) {
      reading.pools[0].servers[i].address = plan.servers[i].address;
    }
    detector.Configure({plan}, now);
  }

  ServerReading& At(size_t server) { return reading.pools[0].servers[server]; }

  // Server 0 gets `times` its share of so many flows.
  void Flows(double flows, double times, double repeats = 0.03) {
    const auto n = static_cast<double>(plan.servers.size());
    for (size_t i = 0; i < plan.servers.size(); ++i) {
      const double mean = flows * (i == 0 ? times / n : (1 - times / n) / (n - 1));
      const double drawn =
          random.Poisson(mean * (1 - repeats)) + 2 * random.Poisson(mean * repeats / 2);
      Add(i, drawn, 8 * drawn, 5600 * drawn);
    }
  }
  void Add(size_t server, double flows, double packets, double bytes) {
    At(server).new_flows += static_cast<uint64_t>(flows);
    At(server).packets += static_cast<uint64_t>(packets);
    At(server).bytes += static_cast<uint64_t>(bytes);
  }

  std::vector<AlarmEvent> Tick() {
    now.steady_ns += kSecond;
    now.unix_ns += kSecond;
    return detector.Tick(reading, now);
  }

  Random random;
  Detector detector;
  PoolPlan plan;
  Reading reading;
  Time now{1000 * kSecond, kStart};
};

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_PROPERTY_DETECT_ONE_POOL_H_
