// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_HEALTH_RUNNER_H_
#define EVENKEEL_CONTROL_DAEMON_HEALTH_RUNNER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "control/daemon/passive_watch.h"
#include "control/daemon/probe_plan.h"
#include "control/daemon/serving.h"
#include "control/daemon/vip_path.h"
#include "control/detect/input.h"
#include "control/engine/local_engine.h"
#include "control/health/monitor.h"
#include "control/health/slow_start.h"
#include "control/probe/probe.h"

namespace evenkeel::daemon {

// Joins probes, what follows from them, and the engine that publishes it. A thread of its own takes
// results to decisions, so that neither probes nor changes wait for publishing.
class HealthRunner {
 public:
  struct Clocks {
    std::function<int64_t()> now_unix_ns;
    std::function<int64_t()> steady_ns;  // never set back
  };
  // How this host is asked, beside the probes.
  struct Host {
    VipPath::Options vips;
    PassiveWatch::Options passive;
    // Next hops of these are to be known, whether they are in a table or not.
    std::function<absl::Status(const std::vector<model::IpAddress>&)> keep_following;
    std::function<void(const health::Transition&)> changed;  // told of each; may be null
  };
  // `engine` must outlive it, and was started. `host_policy` is that of the guard's facts.
  HealthRunner(engine::LocalEngine* engine, Clocks clocks, const model::Policy& host_policy,
               Host host);
  ~HealthRunner();

  absl::Status Start();
  // Ends the probes; nothing is published any more.
  void Stop();
  // For the status of the engine; from any thread.
  void Describe(engine::Status* status) const;
  // As the probes say, of a pool that is checked; empty: they say nothing. From any thread.
  std::map<model::IpAddress, detect::Health> HealthOf(const std::string& pool) const;
  // Paths through VIPs to these servers as well, until it is called with none; the marks that lead
  // to them. Any thread, but one caller at a time. Waits for 3 s at most.
  absl::StatusOr<std::map<VipPath::Server, uint32_t>> LendPaths(
      const std::set<VipPath::Server>& servers);
  // Whether the probes speak for the VIPs of a pool that has a check, in the state that `desired`
  // is of; from any thread.
  PoolServing Serving(const guard::BuiltFleet* desired, const std::string& pool);

 private:
  // Of the time before this daemon.
  struct Known {
    std::map<std::string, std::vector<model::IpAddress>> down;
    std::vector<health::Move> past;
  };

  health::Time Now() const;
  void Run();
  void Step();
  void Configure(const engine::State& state);
  // Who is to be probed as this host stands now; changes what has changed.
  void Plan(const Known& known = {});
  absl::Status PreparePath();
  void ServeGuests();
  void TellPathProblem(const absl::Status& status);
  ProbePlan MakePlan() const;
  void FollowHost();
  std::map<std::string, int> ReadFilters() const;
  void ListenPassively();
  void Note(const probe::Target& target, const probe::Result& result);
  void NoteCounted(const health::Rounds::Server& server, const std::string& witness,
                   health::ProbeResult said);  // mutex_ is held
  std::vector<health::Move> ReadPast() const;
  void NoteOwnFault(const probe::Target& target, const probe::Result& result);
  void Publish(const engine::State& state, const health::Admission& wanted);
  std::string CauseOf(const engine::State& before, const std::string& pool,
                      const model::IpAddress& server, uint16_t permille) const;

  engine::LocalEngine* const engine_;
  const Clocks clocks_;
  const Host host_;
  std::unique_ptr<probe::Prober> prober_;

  // Of the thread.
  std::shared_ptr<const guard::BuiltFleet> configured_;
  model::Config config_;  // of configured_
  ProbePlan plan_;
  std::unique_ptr<VipPath> path_;  // while something is probed through a VIP
  std::string path_problem_;
  bool through_vips_ = false;           // something is to be probed through a VIP
  std::map<std::string, int> filters_;  // as the plan found them
  std::set<VipPath::Server> guests_;    // of LendPaths
  PassiveWatch passive_;
  int64_t refresh_at_ns_ = 0, plan_at_ns_ = 0;
  health::SlowStart slow_start_;
  int64_t retry_at_ns_ = 0;
  std::string problem_;  // of the last publication

  mutable std::mutex mutex_;                          // guards all below
  std::map<std::string, int64_t> own_fault_told_ns_;  // by pool
  std::condition_variable changed_;
  bool ending_ = false;
  health::Monitor monitor_;
  health::Decision decision_;                         // the last one
  std::shared_ptr<const guard::BuiltFleet> watched_;  // the state that the monitor knows
  std::set<std::string> probed_, blind_;              // pools of it that are, and cannot be probed
  std::vector<std::string> notices_;                  // of the plan
  std::string passive_problem_;
  health::Rounds rounds_;
  std::set<std::string> proven_;  // ... of which a server has been up
  struct Loan {
    std::set<VipPath::Server> servers;
    uint64_t asked = 0, served = 0;  // how often
    absl::StatusOr<std::map<VipPath::Server, uint32_t>> marks =
        std::map<VipPath::Server, uint32_t>();
  } loan_;
  std::condition_variable served_;
  std::thread thread_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_HEALTH_RUNNER_H_
