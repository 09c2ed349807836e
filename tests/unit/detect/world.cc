// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <utility>

namespace evenkeel::detect::testing {

model::IpAddress Address(int server) {
  return model::IpAddress::FromIpv4(
      {10, 0, static_cast<uint8_t>(server >> 8), static_cast<uint8_t>(server)});
}

model::IpAddress ClientAddress(int client) {
  return model::IpAddress::FromIpv4(
      {192, 0, static_cast<uint8_t>(client >> 8), static_cast<uint8_t>(client)});
}

PoolPlan EvenPool(const std::string& name, int servers) {
  PoolPlan plan;
  plan.pool = name;
  plan.revision = 41;
  plan.generation = 7;
  plan.since_unix_ns = kStart - 3600 * kSecond;
  for (int i = 1; i <= servers; ++i) {
    ServerPlan& server = plan.servers.emplace_back();
    server.address = Address(i);
    server.name = "web-" + std::to_string(i);
    server.intended = server.built = 1.0 / servers;
  }
  return plan;
}

void SetShares(const std::vector<double>& shares, PoolPlan* plan) {
  ASSERT_EQ(shares.size(), plan->servers.size());
  for (size_t i = 0; i < shares.size(); ++i) {
    plan->servers[i].intended = plan->servers[i].built = shares[i];
  }
}

World::World(PoolPlan start, const Thresholds& thresholds)
    : detector(thresholds), plan(std::move(start)) {
  counters_.resize(plan.servers.size());
  exact_.resize(plan.servers.size());
  detector.Configure({plan}, now);
  Second(Even(plan, 0));  // the first reading is what the others are counted from
}

World::Rates World::Even(const PoolPlan& plan, double flows) {
  Rates rates;
  for (const ServerPlan& server : plan.servers) rates.flows.push_back(flows * server.built);
  return rates;
}

World::Rates World::Skewed(const PoolPlan& plan, double flows, size_t i, double times) {
  Rates rates = Even(plan, flows);
  const double share = plan.servers[i].built;
  for (double& rate : rates.flows) rate *= (1 - times * share) / (1 - share);
  rates.flows[i] = flows * share * times;
  return rates;
}

void World::Publish(PoolPlan next) {
  plan = std::move(next);
  detector.Configure({plan}, now);
}

std::vector<AlarmEvent> World::Second(const Rates& rates) {
  counters_.resize(plan.servers.size());
  exact_.resize(plan.servers.size());
  PoolReading pool;
  pool.pool = plan.pool;
  pool.generation = generation.value_or(plan.generation);
  pool.readback = readback;
  pool.moving_slots = moving;
  for (size_t i = 0; i < plan.servers.size(); ++i) {
    const double packets = rates.packets.empty() ? 10 * rates.flows[i] : rates.packets[i];
    exact_[i][0] += rates.flows[i];
    exact_[i][1] += packets;
    exact_[i][2] += rates.bytes.empty() ? 1000 * packets : rates.bytes[i];
    ServerReading& server = counters_[i];
    server.address = plan.servers[i].address;
    server.new_flows = static_cast<uint64_t>(exact_[i][0]);
    server.packets = static_cast<uint64_t>(exact_[i][1]);
    server.bytes = static_cast<uint64_t>(exact_[i][2]);
    server.health = health.contains(i) ? health[i] : Health::kUp;
    pool.servers.push_back(server);
  }
  now.steady_ns += kSecond;
  now.unix_ns += kSecond;
  Reading reading;
  if (read) reading.pools.push_back(std::move(pool));
  reading.lanes = lanes;
  return detector.Tick(reading, now);
}

int World::Until(AlarmEvent::What what, const Rates& rates, int limit) {
  for (int second = 1; second <= limit; ++second) {
    for (const AlarmEvent& event : Second(rates)) {
      if (event.what == what) return second;
    }
  }
  return limit + 1;
}

std::vector<AlarmEvent> World::Run(int seconds, const Rates& rates) {
  std::vector<AlarmEvent> all;
  for (int i = 0; i < seconds; ++i) {
    for (AlarmEvent& event : Second(rates)) all.push_back(std::move(event));
  }
  return all;
}

const Alarm* World::Find(Kind kind) {
  alarms_ = detector.Alarms();
  for (const Alarm& alarm : alarms_) {
    if (alarm.kind == kind) return &alarm;
  }
  return nullptr;
}

void SampleClients(World& world, int n, int server, int clients) {
  for (int i = 0; i < n; ++i) {
    world.detector.NoteFlow({.pool = world.plan.pool,
                             .server = Address(server),
                             .source = ClientAddress(1000 * server + i % clients),
                             .source_port = 4000,
                             .destination_port = 443,
                             .ip_protocol = 6,
                             .opening = true,
                             .packets = 1,
                             .bytes = 60});
  }
}

}  // namespace evenkeel::detect::testing
