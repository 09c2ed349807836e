// SPDX-License-Identifier: Apache-2.0
//
// The gRPC server on the Unix socket: evenkeel.v1.Control, grpc.health.v1 and reflection. There is
// no other way in: no TCP port is ever opened.
#ifndef EVENKEEL_CONTROL_RPC_SERVER_H_
#define EVENKEEL_CONTROL_RPC_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "control/engine/engine.h"

namespace evenkeel::rpc {

class Server {
 public:
  // Serves `engine`, which must outlive the server, on `socket`. Errors: see UnixListener::Listen.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& socket,
                                                       engine::Engine* engine);
  ~Server();  // shuts down

  // Takes no new connection, ends the watches, gives running calls `grace` to end, then cancels
  // them. Idempotent.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_SERVER_H_
