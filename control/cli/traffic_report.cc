// SPDX-License-Identifier: Apache-2.0
#include "control/cli/traffic_report.h"

#include <algorithm>
#include <cmath>

#include "control/cli/cat.h"
#include "control/cli/text.h"

namespace evenkeel::cli {
namespace {

using nlohmann::ordered_json;
using traffic::LiveTraffic;
using traffic::PoolTraffic;

constexpr size_t kPoolsListed = 20;

std::string Rate(double packets_per_s) {
  return Count(static_cast<uint64_t>(std::llround(std::max(packets_per_s, 0.0))));
}

std::string RateText(const PoolTraffic& pool) {
  if (!pool.packets_per_s) return "packets/s are not known yet";
  std::string text = Cat(Rate(*pool.packets_per_s), " packets/s");
  if (pool.moved_packets_per_s) {
    text += Cat(", of which the slots that move carry about ", Rate(*pool.moved_packets_per_s),
                " by the counters");
  }
  return text;
}

// What became of the flows that were seen.
std::string FlowText(const PoolTraffic& pool) {
  if (pool.sampled.flows == 0) return "no packet of it was seen";
  const double part =
      static_cast<double>(pool.moved.packets) / static_cast<double>(pool.sampled.packets);
  std::string text = Cat(pool.moved.flows, " of ", Plural(pool.sampled.flows, "sampled flow"), " (",
                         Percent(part), " of the packets) get another owner");
  if (pool.moved.flows == 0) return text;
  return Cat(text, ": ", pool.staying.flows, " stay on their backend until they end, ",
             pool.cut.flows, " are cut off from it");
}

void PrintPool(Printer& out, const PoolTraffic& pool, bool sampled) {
  out.Hanging(2, {pool.pool, Style::kBold}, RateText(pool), 2);
  if (!sampled) return;
  const Style style = pool.cut.flows > 0 ? Style::kWarn : Style::kDim;
  out.Hanging(4, {pool.cut.flows > 0 ? "!" : "-", style}, FlowText(pool));
}

std::string SampleText(const LiveTraffic& live) {
  const traffic::SampleFacts& sample = *live.sample;
  if (sample.packets == 0) return Cat("No packet came in ", sample.lasted.count(), " ms");
  std::string text =
      Cat("Looked at ", Plural(sample.packets, "packet"), " in ", sample.lasted.count(), " ms");
  if (sample.one_in > 1) text += Cat(", one in ", sample.one_in);
  if (sample.missed > 0) text += Cat("; for ", sample.missed, " more there was no room");
  return text;
}

ordered_json CountJson(const traffic::Count& count) {
  return {{"packets", count.packets}, {"flows", count.flows}};
}

ordered_json NumberJson(const std::optional<double>& number) {
  return number ? ordered_json(*number) : ordered_json(nullptr);
}

double Seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void PrintLiveTraffic(Printer& out, const LiveTraffic& live, bool all) {
  if (live.pools.empty()) return;
  out.Line("Live traffic:");
  const size_t listed = all ? live.pools.size() : std::min(live.pools.size(), kPoolsListed);
  for (size_t i = 0; i < listed; ++i) PrintPool(out, live.pools[i], live.sample.has_value());
  if (listed < live.pools.size()) {
    out.Line(
        Cat("  ... and ", Plural(live.pools.size() - listed, "pool"), " more (--all lists them)"),
        Style::kDim);
  }
  if (live.sample) {
    out.Hanging(2, {""}, SampleText(live), 0);
  } else if (!live.not_sampled.empty()) {
    out.Hanging(2, {"Not sampled:", Style::kWarn}, live.not_sampled);
  }
  out.End();
}

ordered_json LiveTrafficJson(const std::optional<LiveTraffic>& live) {
  if (!live) return nullptr;
  ordered_json pools = ordered_json::array();
  for (const PoolTraffic& pool : live->pools) {
    pools.push_back({{"pool", pool.pool},
                     {"packets_per_s", NumberJson(pool.packets_per_s)},
                     {"moved_packets_per_s", NumberJson(pool.moved_packets_per_s)},
                     {"sampled", CountJson(pool.sampled)},
                     {"moved", CountJson(pool.moved)},
                     {"staying", CountJson(pool.staying)},
                     {"cut", CountJson(pool.cut)}});
  }
  ordered_json sample = nullptr;
  if (live->sample) {
    sample = {{"one_in", live->sample->one_in},
              {"packets", live->sample->packets},
              {"missed", live->sample->missed},
              {"lasted_s", Seconds(live->sample->lasted)}};
  }
  ordered_json interval = nullptr;
  if (live->interval.count() > 0) interval = Seconds(live->interval);
  return {{"interval_s", interval},
          {"sample", sample},
          {"not_sampled", live->not_sampled},
          {"pools", pools}};
}

}  // namespace evenkeel::cli
