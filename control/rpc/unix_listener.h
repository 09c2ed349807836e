// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_UNIX_LISTENER_H_
#define EVENKEEL_CONTROL_RPC_UNIX_LISTENER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace evenkeel::rpc {

// Listens on a Unix socket, mode 0660, in a directory that it makes with mode 0750 if there is
// none, and accepts connections in a thread of its own.
class UnixListener {
 public:
  // A socket file that nobody listens on is replaced. AlreadyExists: somebody does.
  // FailedPrecondition: the path is something else than a socket, or too long for one.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Listen(const std::string& path);
  ~UnixListener();

  // `on_connection` takes the descriptor over (non-blocking). Call once.
  void Start(std::function<void(int)> on_connection);
  // Accepts no more and removes the socket file, if it is still this listener's. Idempotent.
  void Stop();

 private:
  UnixListener(std::string path, int fd, int stop_fd);
  void AcceptLoop();
  void RemoveFile();

  const std::string path_;
  int fd_;
  int stop_fd_;  // eventfd: readable when the loop must end
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::function<void(int)> on_connection_;
  std::thread thread_;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_UNIX_LISTENER_H_
