// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_WEBHOOK_H_
#define EVENKEEL_CONTROL_DAEMON_WEBHOOK_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/daemon/settings.h"
#include "control/daemon/webhook_queue.h"
#include "control/detect/alarm.h"

namespace evenkeel::daemon {

// Tells alarms by HTTP POST, from a thread of its own: nobody waits for it.
class Webhook {
 public:
  struct Options {
    std::string url;          // https; http to this host alone
    std::string secret;       // that messages are signed with; at least kMinSecret bytes
    std::string ca_file;      // empty: those that this host trusts
    int64_t escalate_ns = 0;  // pages that nobody acknowledges are told again; 0: they are not
    std::string instance, host;
    std::function<int64_t()> now_unix_ns, steady_ns;
  };
  static constexpr size_t kMinSecret = 16;

  // InvalidArgument: the URL is none that may be called, or the secret is too short.
  static absl::StatusOr<std::unique_ptr<Webhook>> Start(Options options);
  ~Webhook();

  void Tell(const detect::AlarmEvent& event);
  // All that are open; to be called once a second.
  void Escalate(const std::vector<detect::Alarm>& alarms);
  // Why messages wait; empty: none does.
  std::string Problem() const;

 private:
  explicit Webhook(Options options);
  void Run();
  void Push(std::string event, const detect::Alarm& alarm);
  absl::Status Post(const std::string& body) const;

  const Options options_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool ending_ = false;
  DeliveryQueue queue_;
  Escalations escalations_;
  uint64_t number_ = 0;  // of the last message
  std::string problem_;
  std::thread thread_;
};

// As the settings say; null where they name none. FailedPrecondition and the like: it cannot work.
absl::StatusOr<std::unique_ptr<Webhook>> StartWebhook(const Settings& settings,
                                                      std::function<int64_t()> now_unix_ns,
                                                      std::function<int64_t()> steady_ns);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_WEBHOOK_H_
