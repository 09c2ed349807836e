// SPDX-License-Identifier: Apache-2.0
//
// What one change in one pool costs among many: building with reuse, and judging.
#include <benchmark/benchmark.h>

#include "control/guard/guard.h"

namespace evenkeel::guard {
namespace {

constexpr maglev::HashKey kKey{1, 2, 3};

model::Config Pools(size_t n) {
  model::Config config;
  for (size_t p = 0; p < n; ++p) {
    model::Pool pool;
    pool.name = "pool-" + std::to_string(p);
    for (size_t b = 0; b < 100; ++b) {
      model::Backend backend;
      backend.name = "backend-" + std::to_string(b);
      backend.address =
          model::IpAddress::FromIpv4({10, static_cast<uint8_t>(p / 250),
                                      static_cast<uint8_t>(p % 250), static_cast<uint8_t>(b + 1)});
      pool.backends.push_back(backend);
    }
    const auto low = static_cast<uint8_t>(p % 250);
    config.vips.push_back({pool.name,
                           model::IpAddress::FromIpv4({192, 0, static_cast<uint8_t>(p / 250), low}),
                           443, model::Protocol::kTcp, pool.name});
    config.pools.push_back(std::move(pool));
  }
  return config;
}

void BM_ChangeOnePool(benchmark::State& state) {
  const auto base = BuildFleet(Pools(static_cast<size_t>(state.range(0))), kKey, nullptr);
  model::Config changed = (*base)->ToConfig();
  changed.pools[0].backends[0].weight = 90;
  for (auto _ : state) {
    const auto candidate = BuildFleet(changed, kKey, base->get());
    const Judgement judgement = Judge(*candidate, *base, {});
    if (!judgement.approval.has_value() || judgement.verdict.pools[0].slots_moved == 0) {
      state.SkipWithError("the change was refused or moved nothing");
      return;
    }
    benchmark::DoNotOptimize(judgement);
  }
}

BENCHMARK(BM_ChangeOnePool)
    ->ArgName("pools")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace evenkeel::guard
