// SPDX-License-Identifier: Apache-2.0
//
// What docs/detector.md states: how often the detector wakes somebody for nothing, how soon it
// finds a skew, whether it tells causes apart, what outlives the night, and what a tick costs.
//
//   build/bench/detect_bench month --pools 100 --days 30
//   build/bench/detect_bench skew --trials 10000
//   build/bench/detect_bench ticket --times 1.6 --flows 200
//   build/bench/detect_bench replay FILE --speed 4 --times 3
//   build/bench/detect_bench causes --trials 200
//   build/bench/detect_bench night --trials 200
//   build/bench/detect_bench tick --pools 1000 --servers 100
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "replay.h"
#include "tests/property/detect/causes.h"
#include "tests/property/detect/month.h"
#include "tests/property/detect/trials.h"
#include "tick.h"

namespace evenkeel::detect::simulation {
namespace {

double CpuSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void Month(const MonthOptions& options) {
  const MonthResult result = RunMonth(options);
  std::printf("%.2f months of 100 pools, %lu generations, %lu seconds of a pool sampled\n",
              result.pool_seconds / (100.0 * 30 * kDay), result.plans, result.sampled);
  std::printf("false pages: %zu, %.2f a month of 100 pools\n", result.pages.size(),
              result.PagesAMonth());
  for (const std::string& page : result.pages) std::printf("  %s\n", page.c_str());
  std::printf("%zu of the pools have clients in clusters\n", result.clustered);
  const double days = result.pool_seconds / kDay / static_cast<double>(options.pools);
  for (const auto& [kind, n] : result.tickets) {
    const size_t pools =
        kind.starts_with("plain") ? options.pools - result.clustered : result.clustered;
    std::printf("tickets %s: %lu, %.3f a day and pool\n", kind.c_str(), n,
                static_cast<double>(n) / days / static_cast<double>(pools));
  }
}

void Print(const std::vector<double>& times) {
  const auto at = [&](double part) {
    return times[static_cast<size_t>(part * static_cast<double>(times.size() - 1))];
  };
  std::printf("%zu trials: p50 %.2f s, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f\n", times.size(),
              at(0.5), at(0.9), at(0.99), at(0.999), times.back());
}

void Ticket(const SkewOptions& options, int patience_s) {
  std::vector<double> times = TicketTimes(options, patience_s);
  const auto first = std::lower_bound(times.begin(), times.end(), 0);
  const auto last = std::lower_bound(first, times.end(), patience_s);
  std::printf("within %d s: %zd pages, %zd tickets, %zd without any\n", patience_s,
              first - times.begin(), last - first, times.end() - last);
  times.assign(first, last);
  if (!times.empty()) Print(times);
}

int RunReplay(const ReplayOptions& options) {
  ReplayResult result;
  try {
    result = Replay(options);
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::printf("%zu packets, %zu new flows in %.0f s: %.0f a second; %zu pools, %.1f pool-hours\n",
              result.packets, result.flows, result.seconds,
              static_cast<double>(result.flows) / result.seconds, options.pools,
              static_cast<double>(options.pools) * result.seconds / 3600);
  std::printf("most of a share over the whole: %.2f times; pages that are wrong: %zu\n",
              result.most, result.pages);
  if (options.times != 1) {
    std::printf("%.1f times found in %zu of %zu pools\n", options.times, result.found.size(),
                options.pools);
    if (!result.found.empty()) Print(result.found);
  }
  for (const auto& [kind, n] : result.tickets) std::printf("tickets %s: %zu\n", kind.c_str(), n);
  return 0;
}

void Causes(int trials, uint64_t seed) {
  for (const auto& [made, said] : ConfuseCauses(trials, seed)) {
    std::printf("%-12s", made.c_str());
    for (const auto& [what, n] : said) std::printf(" %s %d", what.c_str(), n);
    std::printf("\n");
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Simulations and benchmarks of the skew detector");
  app.require_subcommand(1);
  MonthOptions month;
  SkewOptions skew;
  double days = 30, often = 1;
  int trials = 200, ticks = 120;
  size_t pools = 1000, servers = 100, skewed = 0;
  uint64_t seed = 1;
  app.add_option("--seed", seed);
  CLI::App* run_month = app.add_subcommand("month", "false pages");
  run_month->add_option("--pools", month.pools);
  run_month->add_option("--days", days);
  run_month->add_option("--often", often, "events this many times as often");
  run_month->add_option("--by-right", month.thresholds.by_right_s,
                        "seconds until what heavy clients or flows make is a ticket");
  CLI::App* run_skew = app.add_subcommand("skew", "time until a skew is found");
  CLI::App* run_ticket = app.add_subcommand("ticket", "time until a smaller skew is a ticket");
  int patience_s = 600;
  run_ticket->add_option("--patience", patience_s, "seconds that it lasts");
  for (CLI::App* run : {run_skew, run_ticket}) {
    run->add_option("--trials", skew.trials);
    run->add_option("--servers", skew.servers);
    run->add_option("--flows", skew.flows, "new flows a second");
    run->add_option("--times", skew.times, "the share of one server");
  }
  run_skew->add_flag("--new-generation", skew.new_generation);
  ReplayOptions replay;
  CLI::App* run_replay = app.add_subcommand("replay", "recorded flows, as of record-flows");
  run_replay->add_option("file", replay.file)->required();
  run_replay->add_option("--pools", replay.pools, "with a key each");
  run_replay->add_option("--servers", replay.servers)->check(CLI::Range(2, 1000));
  run_replay->add_option("--speed", replay.speed)->check(CLI::PositiveNumber);
  run_replay->add_flag("--by-source", replay.by_source, "affinity to sources");
  run_replay->add_option("--times", replay.times, "of a server's share, from half of it on")
      ->check(CLI::Range(1.0, 10.0));
  CLI::App* run_causes = app.add_subcommand("causes", "confusion of causes");
  run_causes->add_option("--trials", trials);
  CLI::App* run_night = app.add_subcommand("night", "alarms while load is low");
  run_night->add_option("--trials", trials);
  CLI::App* run_tick = app.add_subcommand("tick", "CPU time of a tick");
  run_tick->add_option("--pools", pools);
  run_tick->add_option("--servers", servers);
  run_tick->add_option("--skewed", skewed, "pools with an alarm");
  run_tick->add_option("--ticks", ticks);
  CLI11_PARSE(app, argc, argv);
  if (*run_month) {
    month.seed = seed;
    month.seconds = static_cast<int64_t>(days * kDay);
    for (double* mean : {&month.mix.drain, &month.mix.death, &month.mix.crowd, &month.mix.loss,
                         &month.mix.stuck, &month.mix.elephant}) {
      *mean /= often;
    }
    Month(month);
  } else if (*run_skew) {
    skew.seed = seed;
    Print(DetectionTimes(skew));
  } else if (*run_ticket) {
    skew.seed = seed;
    Ticket(skew, patience_s);
  } else if (*run_replay) {
    replay.seed = seed;
    if (RunReplay(replay) != 0) return 1;
  } else if (*run_causes) {
    Causes(trials, seed);
  } else if (*run_night) {
    const NightResult result = RunNights(trials, seed);
    std::printf("%d alarms; %d ended at night, %d were marked, %d ended after the skew\n",
                result.raised, result.cleared_at_night, result.marked, result.cleared_after);
  } else {
    const TickResult result = MeasureTicks(pools, servers, skewed, ticks);
    std::printf("tick: p50 %.2f ms, max %.2f ms; %.1f MB, %.0f bytes a server; %zu alarms\n",
                result.p50_ms, result.max_ms, result.bytes / 1e6,
                result.bytes / static_cast<double>(pools * servers), result.alarms);
  }
  std::printf("CPU: %.1f s\n", CpuSeconds());
  return 0;
}

}  // namespace
}  // namespace evenkeel::detect::simulation

int main(int argc, char** argv) { return evenkeel::detect::simulation::Main(argc, argv); }
