// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_WEB_SERVICE_H_
#define EVENKEEL_CONTROL_DAEMON_WEB_SERVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "control/daemon/settings.h"
#include "control/daemon/ticker.h"
#include "control/dashboard/dashboard.h"
#include "control/metrics/exposition.h"
#include "control/web/server.h"

namespace evenkeel::daemon {

// What the daemon serves by HTTP: metrics, and the dashboard where the settings ask for it.
class WebService {
 public:
  // Takes socket and port, so that what is in the way is known before anything is touched.
  static absl::StatusOr<std::unique_ptr<WebService>> Listen(const Settings& settings);
  ~WebService() { Stop(); }

  void Serve(engine::Engine* engine, metrics::Exposition::Sources sources);
  // Afterwards nobody is answered; the engine and the sources may go.
  void Stop();

 private:
  WebService(std::unique_ptr<web::Server> server, bool with_dashboard)
      : with_dashboard_(with_dashboard), server_(std::move(server)) {}

  const bool with_dashboard_;
  std::unique_ptr<metrics::Exposition> exposition_;
  std::unique_ptr<dashboard::Dashboard> dashboard_;  // null: not asked for
  Ticker sampling_;                                  // of the dashboard
  std::unique_ptr<web::Server> server_;              // ended first
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_WEB_SERVICE_H_
