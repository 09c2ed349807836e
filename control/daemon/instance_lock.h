// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DAEMON_INSTANCE_LOCK_H_
#define EVENKEEL_CONTROL_DAEMON_INSTANCE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace evenkeel::daemon {

// One daemon per state directory, from before its history is read: a second one would settle the
// first one's unfinished changes. The kernel drops the lock when the process ends, however it ends.
class InstanceLock {
 public:
  // Makes `state_dir` (0750) if need be. AlreadyExists: another process holds it; names its pid.
  static absl::StatusOr<std::unique_ptr<InstanceLock>> Take(const std::string& state_dir);
  ~InstanceLock();
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;

 private:
  explicit InstanceLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_INSTANCE_LOCK_H_
