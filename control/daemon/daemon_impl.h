// SPDX-License-Identifier: Apache-2.0
//
// The parts of a daemon and the order in which they are made and ended: daemon.cc. How they are
// wired to each other: wiring.cc.
#ifndef EVENKEEL_CONTROL_DAEMON_DAEMON_IMPL_H_
#define EVENKEEL_CONTROL_DAEMON_DAEMON_IMPL_H_

#include <signal.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/daemon/advertise_runner.h"
#include "control/daemon/detect_runner.h"
#include "control/daemon/examiner.h"
#include "control/daemon/flags.h"
#include "control/daemon/health_runner.h"
#include "control/daemon/instance_lock.h"
#include "control/daemon/next_hop_feed.h"
#include "control/daemon/settings.h"
#include "control/daemon/ticker.h"
#include "control/daemon/watched_file.h"
#include "control/daemon/web_service.h"
#include "control/daemon/webhook.h"
#include "control/engine/file_follower.h"
#include "control/engine/local_engine.h"
#include "control/metrics/metered_kernel.h"
#include "control/rpc/server.h"

namespace evenkeel::daemon {

int64_t NowUnixNs();
int64_t SteadyNs();  // goes on while the host sleeps, and is never set

class Daemon {
 public:
  explicit Daemon(const Settings& settings) : settings_(settings) {}
  ~Daemon() { Quiesce(); }

  int Run();

 private:
  int Fail(const absl::Status& status) {
    spdlog::error("{}", std::string(status.message()));
    return kExitError;
  }
  absl::Status PrepareSharing();
  absl::Status ReadHostPolicy();
  engine::Court MakeCourt() const;
  absl::Status OpenState();
  // True: go on. Otherwise `exit_code_` is set and the reason was printed.
  bool ReadBootstrap();
  absl::Status OpenKernel();
  int StartEngine();
  absl::Status Attach();
  void CompareFile();
  void WatchFile();
  absl::Status StartHealth();
  absl::Status StartAdvertising();
  void MakeDetector();
  void WaitForSignals();
  void Quiesce();
  absl::Status ShutDown();

  const Settings settings_;
  sigset_t signals_{};
  int exit_code_ = kExitOk;
  maglev::HashKey hash_key_{};
  std::optional<engine::Bootstrap> bootstrap_;
  model::Policy host_policy_;

  // In the order of their making; ended in the reverse order.
  std::unique_ptr<InstanceLock> lock_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<WebService> web_;
  std::unique_ptr<history::History> history_;
  std::unique_ptr<dataplane::KernelDataPlane> dataplane_;
  std::unique_ptr<NextHopFeed> feed_;
  std::unique_ptr<neighbor::NetlinkResolver> resolver_;
  std::unique_ptr<publish::Publisher> publisher_;
  metrics::Tallies tallies_;
  std::unique_ptr<metrics::MeteredKernel> kernel_;
  std::vector<engine::InterfaceStatus> interfaces_;  // fixed before the engine is served
  std::unique_ptr<engine::LocalEngine> engine_;
  std::unique_ptr<HealthRunner> health_;
  std::unique_ptr<AdvertiseRunner> advertise_;
  std::unique_ptr<Webhook> webhook_;
  std::unique_ptr<DetectRunner> detect_;
  std::unique_ptr<Examiner> examiner_;
  std::unique_ptr<WatchedFile> watched_file_;
  std::unique_ptr<engine::FileFollower> follower_;
  Ticker ticker_, watch_ticker_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_DAEMON_IMPL_H_
