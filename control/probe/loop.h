// SPDX-License-Identifier: Apache-2.0
//
// One epoll instance with a timer. Used by one thread, but for Wake().
#ifndef EVENKEEL_CONTROL_PROBE_LOOP_H_
#define EVENKEEL_CONTROL_PROBE_LOOP_H_

#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/dataplane/unique_fd.h"
#include "control/probe/schedule.h"

namespace evenkeel::probe {

// CLOCK_MONOTONIC.
Nanos Now();

class Loop {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnEvents(int fd, uint32_t events) = 0;  // EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP
  };

  // `max_watched`: so many descriptors are served by one Wait().
  static absl::StatusOr<std::unique_ptr<Loop>> Create(size_t max_watched);

  // Watches `fd`, or changes what it is watched for. False with errno set on failure. `handler`
  // must outlive the watch, but for that may end it or any other while events are handled.
  bool Watch(int fd, uint32_t events, Handler* handler);
  // Before the descriptor is closed.
  void Unwatch(int fd);

  // Returns after having handled what was ready; at once if something is, else when `until` is
  // over or Wake() is called.
  void Wait(std::optional<Nanos> until);
  void Wake();  // any thread

 private:
  struct Watched {
    Handler* handler = nullptr;
    uint32_t serial = 0;  // tells events of a former owner of the descriptor's number
  };

  Loop() = default;
  void SetTimer(std::optional<Nanos> until);

  dataplane::UniqueFd epoll_;
  dataplane::UniqueFd timer_;
  dataplane::UniqueFd wake_;
  std::optional<Nanos> timer_set_;
  absl::flat_hash_map<int, Watched> watched_;
  uint32_t last_serial_ = 0;
  std::vector<epoll_event> events_;
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_LOOP_H_
