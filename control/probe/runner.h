// SPDX-License-Identifier: Apache-2.0
//
// What the prober's thread does: begins probes when they are due and a socket is free, ends them in
// time, reports. Used by one thread, but for Wake() and stats().
#ifndef EVENKEEL_CONTROL_PROBE_RUNNER_H_
#define EVENKEEL_CONTROL_PROBE_RUNNER_H_

#include <atomic>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "control/probe/driver.h"
#include "control/probe/loop.h"
#include "control/probe/schedule.h"
#include "control/probe/turns.h"

namespace evenkeel::probe {

using TargetPtr = std::shared_ptr<const Target>;

struct Changes {
  std::vector<std::pair<TargetId, TargetPtr>> added;
  std::vector<TargetId> removed;  // may be among `added`
};

class Runner {
 public:
  using Report = std::function<void(TargetId, const Target&, const Result&)>;

  static absl::StatusOr<std::unique_ptr<Runner>> Create(const Options& options, Report report);

  void Apply(const Changes& changes);
  // Does what there is to do, then waits for the next event or Wake().
  void RunOnce();

  void Wake() { loop_->Wake(); }  // any thread
  Stats stats() const;            // any thread

 private:
  struct Probe {
    Driver* driver = nullptr;
    Nanos started{};
    Nanos deadline{};
  };
  struct Ended {
    TargetId id = 0;
    Result result;
  };
  struct Counters {
    std::atomic<uint64_t> started{0};
    std::atomic<uint64_t> ended{0};
    std::atomic<uint64_t> late{0};
    std::atomic<uint64_t> skipped{0};
    std::atomic<uint64_t> waiting{0};
  };

  Runner(const Options& options, Report report);

  void Expire();
  void StartDue();
  void Begin(const Turns::Waiting& waiting);
  void End(TargetId id, Outcome outcome);
  void Forget(TargetId id);  // a probe that is running
  void Deliver();
  Driver& DriverOf(const Target& target);
  std::optional<Nanos> NextWork() const;

  const Options options_;
  const Report report_;
  std::unique_ptr<Loop> loop_;
  SocketCount open_sockets_{0};
  Counters counters_;
  Schedule schedule_;
  Nanos polled_{};  // when events were last asked for
  absl::flat_hash_map<TargetId, TargetPtr> targets_;
  Turns turns_;
  bool freed_ = false;  // a socket, since turns were last taken
  absl::flat_hash_map<TargetId, Probe> running_;
  std::set<std::pair<Nanos, TargetId>> deadlines_;  // of running_
  std::vector<Ended> ended_;                        // to be reported
  std::unique_ptr<Driver> tcp_;
  std::unique_ptr<Driver> http_;
  std::unique_ptr<Driver> udp_;
  std::unique_ptr<Driver> icmp_;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_RUNNER_H_
