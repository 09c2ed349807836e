// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_WEB_SERVICE_H_
#define EVENKEEL_CONTROL_DAEMON_WEB_SERVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "control/daemon/settings.h"
#include "control/metrics/exposition.h"
#include "control/web/server.h"

namespace evenkeel::daemon {

// What the daemon serves by HTTP: metrics, and the dashboard where the settings ask for it.
class WebService {
 public:
  // Takes socket and port, so that what is in the way is known before anything is touched.
  static absl::StatusOr<std::unique_ptr<WebService>> Listen(const Settings& settings);
  ~WebService() { Stop(); }

  void Serve(metrics::Exposition::Sources sources);
  // Afterwards nobody is answered; the sources may go.
  void Stop();

 private:
  explicit WebService(std::unique_ptr<web::Server> server) : server_(std::move(server)) {}

  std::unique_ptr<metrics::Exposition> exposition_;
  std::unique_ptr<web::Server> server_;  // ended first
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_WEB_SERVICE_H_
