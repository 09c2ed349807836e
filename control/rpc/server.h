// SPDX-License-Identifier: Apache-2.0
//
// The gRPC server on the Unix socket: evenkeel.v1.Control, grpc.health.v1 and reflection. There is
// no other way in: no TCP port is ever opened.
#ifndef EVENKEEL_CONTROL_RPC_SERVER_H_
#define EVENKEEL_CONTROL_RPC_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/engine/engine.h"

namespace evenkeel::rpc {

class Server {
 public:
  // Takes `socket`; who connects waits until Serve. A socket file that nobody listens on is
  // replaced. AlreadyExists: somebody does. FailedPrecondition: something else is there.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(const std::string& socket);
  ~Server();  // shuts down

  // Serves `engine`, which must outlive the server. Call once.
  absl::Status Serve(engine::Engine* engine);

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
