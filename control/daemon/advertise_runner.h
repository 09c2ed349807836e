// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_ADVERTISE_RUNNER_H_
#define EVENKEEL_CONTROL_DAEMON_ADVERTISE_RUNNER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "control/advertise/plan.h"
#include "control/advertise/route_table.h"
#include "control/daemon/serving.h"
#include "control/daemon/ticker.h"
#include "control/engine/local_engine.h"

namespace evenkeel::daemon {

// Keeps the routes in line with what this host can serve. What it leaves at its end stays: packets
// are forwarded without a daemon.
class AdvertiseRunner {
 public:
  struct Sources {
    // For this state; see serving.h.
    std::function<ServingSources(const engine::State&)> serving;
    // Where the engine knows nothing published: whether the kernel has nothing either.
    std::function<bool()> nothing_published;
    std::function<int64_t()> steady_ns;
  };
  // `engine` must outlive it, and was started.
  AdvertiseRunner(engine::LocalEngine* engine, std::unique_ptr<advertise::RouteTable> table,
                  Sources sources);
  ~AdvertiseRunner() { Stop(); }

  void Start();
  void Stop();  // the routes stay
  // At once; from any thread.
  absl::Status Reconcile();
  // For a data plane that goes: nothing is to lead here any more. After Stop.
  absl::Status RemoveAll();
  // For the status of the engine; from any thread.
  void Describe(engine::Status* status) const;

 private:
  // Nothing: it is not known what this host forwards, and the routes are left alone.
  std::optional<std::vector<advertise::VipView>> Look() const;
  void Step();
  absl::Status Carry(const std::vector<advertise::VipView>& views);
  void Report(const std::vector<advertise::Verdict>& verdicts,
              const std::set<model::IpAddress>& before, const std::set<model::IpAddress>& after);

  engine::LocalEngine* const engine_;
  const Sources sources_;
  Ticker ticker_;

  std::mutex work_mutex_;  // one at a time; guards what follows
  std::unique_ptr<advertise::RouteTable> table_;
  std::optional<std::vector<advertise::VipView>> done_;  // what the routes were last made for
  int64_t look_at_ns_ = 0;                               // when they are read again in any case

  mutable std::mutex mutex_;  // guards all below
  std::vector<advertise::VipView> views_;
  std::set<model::IpAddress> routed_;
  std::string problem_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_ADVERTISE_RUNNER_H_
