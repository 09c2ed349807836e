// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_WATCH_CLIENT_H_
#define EVENKEEL_CONTROL_RPC_WATCH_CLIENT_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "control/engine/engine.h"
#include "evenkeel/v1/control.grpc.pb.h"

namespace evenkeel::rpc {

// One Watch stream, read by a thread of its own and made again when it breaks. When it is back with
// another revision than the last one seen, that is told as an event, since the events in between
// are lost.
class WatchClient {
 public:
  // `connect` makes a new connection for each stream.
  using Connector = std::function<std::shared_ptr<v1::Control::Stub>()>;
  WatchClient(Connector connect, engine::EventSink sink);
  ~WatchClient();  // the sink is not called after this

  // Waits until the daemon has confirmed the subscription; false: not within `timeout`.
  bool WaitConnected(std::chrono::milliseconds timeout);

 private:
  void Run();
  void ReadStream();
  void Handle(const v1::WatchResponse& message);
  bool Sleep(std::chrono::milliseconds time);  // false: ending

  const Connector connect_;
  const engine::EventSink sink_;
  uint64_t last_revision_ = 0;  // of the reading thread
  bool seen_revision_ = false;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::unique_ptr<grpc::ClientContext> context_;
  bool connected_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_WATCH_CLIENT_H_
