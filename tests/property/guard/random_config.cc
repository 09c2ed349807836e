// SPDX-License-Identifier: Apache-2.0
#include "random_config.h"

#include <algorithm>
#include <string>

namespace evenkeel::guard::testing {
namespace {

// Small enough that thousands of tables are built in seconds, large enough for LB017.
constexpr uint32_t kSizes[] = {1009, 2003, 4001};

size_t Below(Random& random, size_t n) {
  return std::uniform_int_distribution<size_t>(0, n - 1)(random);
}

model::IpAddress RandomAddress(Random& random, uint8_t net) {
  return model::IpAddress::FromIpv4({10, 0, net, static_cast<uint8_t>(1 + Below(random, 250))});
}

model::Backend RandomBackend(Random& random, uint8_t net) {
  // Names follow addresses, so that they collide as rarely.
  model::Backend backend;
  backend.address = RandomAddress(random, net);
  backend.name = "b" + std::to_string(backend.address.bytes()[3]);
  constexpr int64_t kWeights[] = {1, 10, 50, 99, 100, 100, 100, 150, 200, 1000};
  backend.weight = kWeights[Below(random, std::size(kWeights))];
  return backend;
}

void AddBackend(Random& random, model::Pool& pool, uint8_t net) {
  const model::Backend backend = RandomBackend(random, net);
  if (pool.FindBackend(backend.name) == nullptr) pool.backends.push_back(backend);
}

void UpdateBackend(Random& random, model::Pool& pool) {
  model::Backend& backend = pool.backends[Below(random, pool.backends.size())];
  constexpr int64_t kWeights[] = {0, 1, 50, 80, 100, 120, 200, 1000, -1, 65536, int64_t{1} << 32};
  constexpr model::AdminState kStates[] = {
      model::AdminState::kEnabled, model::AdminState::kDraining, model::AdminState::kDisabled};
  switch (Below(random, 5)) {
    case 0:
      backend.weight = kWeights[Below(random, std::size(kWeights))];
      break;
    case 1:
      backend.weight =
          std::max<int64_t>(1, backend.weight + static_cast<int64_t>(Below(random, 21)) - 10);
      break;
    case 2:
      backend.address = pool.backends[Below(random, pool.backends.size())].address;
      break;
    default:
      backend.state = kStates[Below(random, std::size(kStates))];
  }
}

void UpdatePolicy(Random& random, model::Policy& policy) {
  switch (Below(random, 6)) {
    case 0:
      policy.max_share = 0.1 * static_cast<double>(Below(random, 10));
      break;
    case 1:
      policy.max_remapped_fraction = 0.05 * static_cast<double>(Below(random, 8));
      break;
    case 2:
      policy.min_serving_backends = static_cast<uint32_t>(Below(random, 5));
      break;
    case 3:
      policy.single_backend = model::SingleBackend{"why", "who"};
      break;
    default:
      policy = {};
  }
}

void UpdatePool(Random& random, model::Pool& pool, uint8_t net) {
  auto& backends = pool.backends;
  switch (Below(random, 12)) {
    case 0:
    case 1:
    case 2:
      AddBackend(random, pool, net);
      break;
    case 3:
      if (!backends.empty())
        backends.erase(backends.begin() + static_cast<ptrdiff_t>(Below(random, backends.size())));
      break;
    case 4:  // a truncated list
      backends.resize(std::min(backends.size(), Below(random, 4)));
      break;
    case 5:
      std::shuffle(backends.begin(), backends.end(), random);
      break;
    case 6:
      UpdatePolicy(random, pool.policy);
      break;
    case 7:
      if (Below(random, 4) == 0) pool.table_size = kSizes[Below(random, std::size(kSizes))];
      break;
    default:
      if (!backends.empty()) UpdateBackend(random, pool);
  }
}

}  // namespace

model::Config RandomState(Random& random) {
  model::Config config;
  const size_t pools = 1 + Below(random, 3);
  for (size_t i = 0; i < pools; ++i) {
    model::Pool pool;
    pool.name = "p" + std::to_string(i);
    pool.table_size = kSizes[Below(random, std::size(kSizes))];
    const size_t wanted = 2 + Below(random, 8);
    for (size_t j = 0; j < wanted; ++j) AddBackend(random, pool, static_cast<uint8_t>(i));
    for (auto& backend : pool.backends) backend.weight = 100;
    config.pools.push_back(pool);
    config.vips.push_back({pool.name,
                           model::IpAddress::FromIpv4({192, 0, 2, static_cast<uint8_t>(i + 1)}),
                           443, model::Protocol::kTcp, pool.name});
  }
  return config;
}

void RandomUpdate(Random& random, model::Config& config) {
  const size_t edits = 1 + Below(random, 4);
  for (size_t i = 0; i < edits && !config.pools.empty(); ++i) {
    const size_t pool = Below(random, config.pools.size());
    const size_t what = Below(random, 30);
    if (what == 0) {
      config.vips[Below(random, config.vips.size())].pool = config.pools[pool].name;
    } else if (what == 1) {
      config = {};
    } else {
      UpdatePool(random, config.pools[pool], static_cast<uint8_t>(pool));
    }
  }
}

}  // namespace evenkeel::guard::testing
