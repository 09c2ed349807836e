// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DASHBOARD_DASHBOARD_H_
#define EVENKEEL_CONTROL_DASHBOARD_DASHBOARD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "control/dashboard/share_ring.h"
#include "control/engine/engine.h"
#include "control/web/server.h"

namespace evenkeel::dashboard {

// The web page and the JSON that it reads (docs/dashboard.md). Asks the engine, changes nothing.
// Thread-safe.
class Dashboard {
 public:
  struct Sources {
    engine::Engine* engine = nullptr;
    std::function<int64_t()> now_unix_ns;
    std::function<int64_t()> steady_ns;
  };
  explicit Dashboard(Sources sources) : sources_(std::move(sources)) {}

  // For GET; they live as long as this.
  web::Pages Pages();
  // Keeps the shares where a sample is due; to be called once a second.
  void Step();

 private:
  // The status and what was made of it, for a second: several browsers cost what one does.
  struct Moment {
    engine::Status status;
    int64_t unix_ns = 0;
    int64_t steady_ns = 0;
    std::string mark;  // of the record's newest entry
  };

  absl::StatusOr<std::shared_ptr<const Moment>> Now();
  // The answer of `make`, or the one of less than a second ago to the same question.
  web::Response Cached(const web::Request& request,
                       const std::function<web::Response(const web::Request&)>& make);

  web::Response Overview(const web::Request& request);
  web::Response Status(const web::Request& request);
  web::Response History(const web::Request& request);
  web::Response Revision(const web::Request& request);
  web::Response Health(const web::Request& request);
  web::Response Shares(const web::Request& request);

  const Sources sources_;

  std::mutex moment_mutex_;  // guards the next
  std::shared_ptr<const Moment> moment_;

  std::mutex answers_mutex_;  // guards the next
  struct Answer {
    web::Response response;
    int64_t steady_ns = 0;
  };
  std::map<std::string, Answer> answers_;  // by question
  size_t answers_bytes_ = 0;

  std::mutex ring_mutex_;  // guards the next
  ShareRing ring_;
};

}  // namespace evenkeel::dashboard

#endif  // EVENKEEL_CONTROL_DASHBOARD_DASHBOARD_H_
