// SPDX-License-Identifier: Apache-2.0
#include "tick.h"

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "tests/property/detect/synthetic_pool.h"

namespace evenkeel::detect::simulation {
namespace {

double CpuMs() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::vector<PoolPlan> Plans(size_t pools, size_t servers) {
  std::vector<PoolPlan> plans(pools);
  for (size_t p = 0; p < pools; ++p) {
    plans[p].pool = "pool-" + std::to_string(p);
    plans[p].generation = 1;
    for (size_t s = 0; s < servers; ++s) {
      ServerPlan& server = plans[p].servers.emplace_back();
      server.address = Address(p * servers + s);
      server.name = "server-" + std::to_string(s);
      server.intended = server.built = 1.0 / static_cast<double>(servers);
    }
    std::sort(plans[p].servers.begin(), plans[p].servers.end(),
              [](const ServerPlan& a, const ServerPlan& b) { return a.address < b.address; });
  }
  return plans;
}

}  // namespace

TickResult MeasureTicks(size_t pools, size_t servers, size_t skewed, int ticks) {
  const size_t before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  Detector detector;
  Time now{kSecond, kStart};
  detector.Configure(Plans(pools, servers), now);
  TickResult result;
  result.bytes = static_cast<double>(::mallinfo2().uordblks + ::mallinfo2().hblkhd - before);
  Reading reading;
  for (const PoolPlan& plan : Plans(pools, servers)) {
    PoolReading& pool = reading.pools.emplace_back();
    pool.pool = plan.pool;
    pool.generation = 1;
    for (const ServerPlan& server : plan.servers)
      pool.servers.push_back({.address = server.address});
  }
  Random random(1);
  std::vector<double> times;
  for (int tick = 0; tick < ticks; ++tick) {
    for (size_t p = 0; p < pools; ++p) {
      for (ServerReading& server : reading.pools[p].servers) {
        const bool much = p < skewed && &server == &reading.pools[p].servers[0];
        server.new_flows += (much ? 300 : 80) + random.Below(40);
        server.packets = 8 * server.new_flows;
        server.bytes = 5600 * server.new_flows;
      }
    }
    now.steady_ns += kSecond;
    now.unix_ns += kSecond;
    const double start = CpuMs();
    detector.Tick(reading, now);
    times.push_back(CpuMs() - start);
  }
  std::sort(times.begin(), times.end());
  result.p50_ms = times[times.size() / 2];
  result.max_ms = times.back();
  result.alarms = detector.Alarms().size();
  return result;
}

}  // namespace evenkeel::detect::simulation
