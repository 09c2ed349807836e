// SPDX-License-Identifier: Apache-2.0
//
// What an update costs, from the approved state to the swap, on the real kernel (needs root).
// Counters: p50_ms and p99_ms of Publish() alone; stage, verify and swap are its parts, mean;
// cpu_ms is the calling thread's.
#include <benchmark/benchmark.h>
#include <gtest/gtest.h>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "control/dataplane/kernel_dataplane.h"
#include "control/publish/publisher.h"
#include "tests/harness/fake_dataplane/fake_resolver.h"
#include "tests/harness/fake_dataplane/fleets.h"
#include "tests/harness/scoped_netns/scoped_pin_dir.h"

namespace evenkeel::testing {
namespace {

constexpr int kBackends = 100;
constexpr uint32_t kSlots = 65537;

double Milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Of this thread: what the update costs also on a machine that is busy.
double CpuMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double Percentile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1))];
}

struct World {
  explicit World(benchmark::State& state) {
    dataplane::KernelOptions options;
    options.pin_dir = dir.path();
    options.hash_key = kTestKey;
    options.limits.max_backends = 262144;
    auto opened = dataplane::KernelDataPlane::Open(options);
    if (!opened.ok()) {
      state.SkipWithError(opened.status().ToString().c_str());
      return;
    }
    dataplane = *std::move(opened);
    publisher = std::make_unique<publish::Publisher>(dataplane.get(), &resolver, kTestKey);
    if (auto report = publisher->Adopt(nullptr); !report.ok()) {
      state.SkipWithError(report.status().ToString().c_str());
    }
  }

  ScopedPinDir dir;
  FakeResolver resolver;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane;
  std::unique_ptr<publish::Publisher> publisher;
};

// One backend of pool 0 is drained and enabled again, in turn.
void UpdateOnePool(benchmark::State& state) {
  World world(state);
  if (state.error_occurred()) return;
  model::Config configs[2] = {MakeConfig(static_cast<int>(state.range(0)), kBackends, kSlots), {}};
  configs[1] = configs[0];
  configs[1].pools[0].backends[7].state = model::AdminState::kDraining;
  Judged now = Judge(configs[0], nullptr);
  if (!now.approval || !world.publisher->Publish(*now.approval, 1).ok()) {
    state.SkipWithError(now.refusal.c_str());
    return;
  }
  std::vector<double> times;
  double stage = 0, verify = 0, swap = 0, cpu = 0;
  uint64_t revision = 1;
  size_t turn = 0;
  for (auto _ : state) {
    Judged next = Judge(configs[++turn % 2], now.fleet);
    const double cpu_start = CpuMilliseconds();
    const auto start = std::chrono::steady_clock::now();
    auto result = world.publisher->Publish(*next.approval, ++revision);
    const auto took = std::chrono::steady_clock::now() - start;
    cpu += CpuMilliseconds() - cpu_start;
    if (!result.ok()) {
      state.SkipWithError(result.status().ToString().c_str());
      break;
    }
    state.SetIterationTime(std::chrono::duration<double>(took).count());
    times.push_back(Milliseconds(took));
    stage += Milliseconds(result->stage);
    verify += Milliseconds(result->verify);
    swap += Milliseconds(result->swap);
    now = std::move(next);
  }
  if (times.empty()) return;
  const double n = static_cast<double>(times.size());
  state.counters["p50_ms"] = Percentile(times, 0.50);
  state.counters["p99_ms"] = Percentile(times, 0.99);
  state.counters["stage_ms"] = stage / n;
  state.counters["verify_ms"] = verify / n;
  state.counters["swap_ms"] = swap / n;
  state.counters["cpu_ms"] = cpu / n;
}
BENCHMARK(UpdateOnePool)
    ->Arg(100)
    ->Arg(1000)
    ->Iterations(200)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// The first publication of everything.
void FromNothing(benchmark::State& state) {
  const Judged all =
      Judge(MakeConfig(static_cast<int>(state.range(0)), kBackends, kSlots), nullptr);
  if (!all.approval) {
    state.SkipWithError(all.refusal.c_str());
    return;
  }
  for (auto _ : state) {
    World world(state);
    if (state.error_occurred()) return;
    const auto start = std::chrono::steady_clock::now();
    auto result = world.publisher->Publish(*all.approval, 1);
    const auto took = std::chrono::steady_clock::now() - start;
    if (!result.ok()) {
      state.SkipWithError(result.status().ToString().c_str());
      return;
    }
    state.SetIterationTime(std::chrono::duration<double>(took).count());
    state.counters["probes"] = result->probes;
  }
}
BENCHMARK(FromNothing)->Arg(1000)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace evenkeel::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
