// SPDX-License-Identifier: Apache-2.0
#include "tests/property/detect/month.h"

#include "absl/strings/str_cat.h"
#include "control/model/text.h"

namespace evenkeel::detect::simulation {
namespace {

size_t IndexOf(const std::string& name) { return std::stoul(name.substr(5)); }

bool IsClustered(const PoolPlan& plan) {
  return plan.spread != Spread::kConnection || !plan.counts_flows;
}

void Count(const std::vector<AlarmEvent>& events, const std::vector<SyntheticPool>& pools,
           int64_t second, MonthResult& result) {
  for (const AlarmEvent& event : events) {
    const Alarm& alarm = event.alarm;
    const bool rises =
        event.what == AlarmEvent::What::kRaised || event.what == AlarmEvent::What::kEscalated;
    if (!rises) continue;
    if (alarm.severity == Severity::kPage) {
      result.pages.push_back(absl::StrCat(second, " s: ", alarm.id, ", ",
                                          model::Av(ToString(alarm.diagnosis)), ", z ",
                                          alarm.evidence.z, ": ", alarm.text));
    } else {
      const PoolPlan& plan = pools[IndexOf(alarm.pool)].plan();
      ++result.tickets[absl::StrCat(IsClustered(plan) ? "clustered " : "plain ",
                                    model::Av(ToString(alarm.kind)), "/",
                                    model::Av(ToString(alarm.diagnosis)))];
    }
  }
}

}  // namespace

MonthResult RunMonth(const MonthOptions& options) {
  MonthResult result;
  Detector detector(options.thresholds);
  std::vector<SyntheticPool> pools;
  for (size_t i = 0; i < options.pools; ++i) {
    pools.emplace_back(absl::StrCat("pool-", i), options.seed * 1'000'003 + i, options.mix);
  }
  Reading reading;
  reading.pools.resize(pools.size());
  for (int64_t second = 1; second <= options.seconds; ++second) {
    const Time now{second * kSecond, kStart + second * kSecond};
    bool planned = second == 1;
    for (SyntheticPool& pool : pools) {
      if (!pool.Second(second)) continue;
      planned = true;
      ++result.plans;
    }
    if (planned) {
      std::vector<PoolPlan> plans;
      for (const SyntheticPool& pool : pools) plans.push_back(pool.plan());
      detector.Configure(std::move(plans), now);
    }
    for (const std::string& name : detector.WantSamples()) {
      pools[IndexOf(name)].Sample(detector);
      ++result.sampled;
    }
    for (size_t i = 0; i < pools.size(); ++i) pools[i].Read(reading.pools[i]);
    Count(detector.Tick(reading, now), pools, second, result);
  }
  for (const SyntheticPool& pool : pools) result.clustered += IsClustered(pool.plan()) ? 1 : 0;
  result.pool_seconds = static_cast<double>(options.pools) * static_cast<double>(options.seconds);
  return result;
}

}  // namespace evenkeel::detect::simulation
