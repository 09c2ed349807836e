// SPDX-License-Identifier: Apache-2.0
#include "control/metrics/exposition.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "control/metrics/render.h"

namespace evenkeel::metrics {
namespace {

constexpr int64_t kReuseNs = 1'000'000'000;

ProcessUse ReadProcessUse() {
  ProcessUse use;
  uint64_t total = 0, resident = 0;
  std::ifstream statm("/proc/self/statm");
  if (statm >> total >> resident) {
    use.resident_bytes = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
      use.cpu_s += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    }
  }
  return use;
}

// Since `before`; a counter that was set to 0 meanwhile counts from there.
uint64_t Grown(uint64_t now, uint64_t before) { return now >= before ? now - before : now; }

}  // namespace

void PoolTotals::Add(const engine::Status& status) {
  std::map<Backend, dataplane::Counter> now;
  std::map<std::string, dataplane::Counter> totals;
  for (const engine::PoolStatus& pool : status.pools) {
    dataplane::Counter& total = totals[pool.name] = totals_[pool.name];
    for (const engine::BackendStatus& backend : pool.backends) {
      const Backend key(pool.name, backend.name);
      const dataplane::Counter& counter = now[key] = backend.counter;
      const auto last = last_.find(key);
      // Of the first reading it is not known what of it was before this daemon.
      const dataplane::Counter before = last != last_.end() ? last->second
                                        : first_            ? counter
                                                            : dataplane::Counter{};
      total.packets += Grown(counter.packets, before.packets);
      total.bytes += Grown(counter.bytes, before.bytes);
      total.new_flows += Grown(counter.new_flows, before.new_flows);
    }
  }
  first_ = false;
  last_ = std::move(now);
  totals_ = std::move(totals);
}

absl::StatusOr<std::string> Exposition::Text() {
  const std::lock_guard lock(mutex_);
  const int64_t start = sources_.steady_ns();
  if (text_ns_ != 0 && start - text_ns_ < kReuseNs) return text_;
  absl::StatusOr<engine::Status> status = sources_.status();
  if (!status.ok()) return status.status();
  totals_.Add(*status);
  const double took = static_cast<double>(sources_.steady_ns() - start) / 1e9;
  text_ = Render(*status, totals_, sources_.tallies->Read(), ReadProcessUse(),
                 sources_.now_unix_ns(), took);
  text_ns_ = start;
  return text_;
}

}  // namespace evenkeel::metrics
