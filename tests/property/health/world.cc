// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <algorithm>

namespace evenkeel::health::testing {
namespace {

std::string KeyOf(const model::Pool& pool, const model::Backend& backend) {
  return pool.name + "/" + backend.address.ToString();
}

int64_t RandomWeight(Random& random, bool even) {
  constexpr int64_t kWeights[] = {50, 80, 100, 100, 120, 200, 400, 1000};
  return even ? 100 : kWeights[Below(random, std::size(kWeights))];
}

void AddBackend(Random& random, model::Pool& pool, bool even) {
  model::Backend backend;
  const auto host = static_cast<uint8_t>(1 + Below(random, 60));
  backend.address = model::IpAddress::FromIpv4({10, 0, static_cast<uint8_t>(pool.name[1]), host});
  backend.name = "b" + std::to_string(host);
  backend.weight = RandomWeight(random, even);
  if (pool.FindBackend(backend.name) == nullptr) pool.backends.push_back(backend);
}

void RandomPolicy(Random& random, model::Pool& pool) {
  pool.policy = {};
  switch (Below(random, 6)) {
    case 0:
      pool.policy.single_backend = model::SingleBackend{"why", "who"};
      break;
    case 1:
    case 2:
      pool.policy.min_serving_backends = static_cast<uint32_t>(2 + Below(random, 4));
      break;
    default:
      break;
  }
}

void RandomCheck(Random& random, model::Pool& pool) {
  model::HealthCheck& check = pool.health_check.emplace();
  check.rise = static_cast<uint32_t>(1 + Below(random, 3));
  check.fall = static_cast<uint32_t>(1 + Below(random, 3));
  check.start =
      Below(random, 3) == 0 ? model::HealthCheck::Start::kDown : model::HealthCheck::Start::kUp;
  check.panic = static_cast<model::HealthCheck::Panic>(Below(random, 3));
}

}  // namespace

size_t Below(Random& random, size_t n) {
  return std::uniform_int_distribution<size_t>(0, n - 1)(random);
}

model::Config RandomFleet(Random& random) {
  model::Config config;
  const size_t pools = 1 + Below(random, 3);
  for (size_t i = 0; i < pools; ++i) {
    model::Pool pool;
    pool.name = "p" + std::to_string(i);
    pool.table_size = 4001;
    const bool even = Below(random, 2) == 0;
    const size_t wanted = 1 + Below(random, Below(random, 3) == 0 ? 24 : 8);
    for (size_t j = 0; j < wanted; ++j) AddBackend(random, pool, even);
    RandomPolicy(random, pool);
    RandomCheck(random, pool);
    config.pools.push_back(pool);
  }
  return config;
}

void RandomEdit(Random& random, model::Config& config) {
  model::Pool& pool = config.pools[Below(random, config.pools.size())];
  auto& backends = pool.backends;
  switch (Below(random, 8)) {
    case 0:
      return RandomPolicy(random, pool);
    case 1:
      return RandomCheck(random, pool);
    case 2:
      if (Below(random, 3) == 0) pool.health_check.reset();
      return;
    case 3:
      if (backends.size() > 1) {
        backends.erase(backends.begin() + static_cast<ptrdiff_t>(Below(random, backends.size())));
      }
      return;
    case 4:
      backends[Below(random, backends.size())].weight = RandomWeight(random, false);
      return;
    case 5:
      backends[Below(random, backends.size())].state =
          static_cast<model::AdminState>(Below(random, 3));
      return;
    default:
      for (size_t i = 0; i < 3; ++i) AddBackend(random, pool, true);
  }
}

void Truth::Change(Random& random, const model::Config& config) {
  for (const model::Pool& pool : config.pools) {
    // Mostly quiet; else a few, half or nearly all change.
    constexpr size_t kPercent[] = {0, 0, 0, 0, 3, 3, 10, 10, 50, 90};
    const size_t percent = kPercent[Below(random, std::size(kPercent))];
    const bool breaks = Below(random, 2) == 0;
    for (const model::Backend& backend : pool.backends) {
      if (Below(random, 100) < percent) broken_[KeyOf(pool, backend)] = breaks;
    }
  }
}

void Truth::Probe(Random& random, const model::Config& config, bool noise, const Time& now,
                  Monitor& monitor) const {
  for (const model::Pool& pool : config.pools) {
    for (const model::Backend& backend : pool.backends) {
      const auto found = broken_.find(KeyOf(pool, backend));
      const bool broken = found != broken_.end() && found->second;
      const bool errs = noise && Below(random, 25) == 0;
      monitor.Note(pool.name, backend.address, {broken == errs, "x"}, now);
    }
  }
}

}  // namespace evenkeel::health::testing
