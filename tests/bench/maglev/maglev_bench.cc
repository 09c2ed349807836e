// SPDX-License-Identifier: Apache-2.0
//
// Time to build a table. The target: 65537 slots for 1,000 members in at most 3 ms.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "control/maglev/maglev.h"

namespace evenkeel::maglev {
namespace {

std::vector<Member> Members(size_t n, bool equal) {
  std::vector<Member> members;
  for (size_t i = 0; i < n; ++i) {
    members.push_back({"server-" + std::to_string(i), equal ? 100 : 50 + i * 37 % 951});
  }
  return members;
}

void BM_Build(benchmark::State& state) {
  const auto size = static_cast<uint32_t>(state.range(0));
  const auto members = Members(static_cast<size_t>(state.range(1)), state.range(2) == 1);
  const HashKey key{1, 2, 3};
  for (auto _ : state) {
    auto table = Build(members, size, key);
    // A wrong table is not worth timing.
    if (!table.ok() || std::count(table->owner.begin(), table->owner.end(), kNoOwner) != 0) {
      state.SkipWithError("the table has slots without an owner");
      return;
    }
    benchmark::DoNotOptimize(table);
  }
}

BENCHMARK(BM_Build)
    ->ArgNames({"slots", "members", "equal"})
    ->Args({65537, 4, 1})
    ->Args({65537, 100, 1})
    ->Args({65537, 1000, 1})
    ->Args({65537, 1000, 0})
    ->Args({655373, 1000, 1})
    ->Args({655373, 6553, 0})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace evenkeel::maglev
