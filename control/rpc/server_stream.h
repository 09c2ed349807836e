// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_RPC_SERVER_STREAM_H_
#define EVENKEEL_CONTROL_RPC_SERVER_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>

namespace evenkeel::rpc {

// The client's side of a call that answers with a stream. `sink` gets each message, and is asked
// with null while none comes, be it for good; false ends the call, which is OK then.
template <typename Message>
class ServerStream {
 public:
  using Sink = std::function<bool(const Message*)>;
  // What begins the call: PrepareAsync of the stub.
  using Prepare = std::function<std::unique_ptr<grpc::ClientAsyncReader<Message>>(
      grpc::ClientContext*, grpc::CompletionQueue*)>;

  ServerStream(const Prepare& prepare, Sink sink)
      : sink_(std::move(sink)), reader_(prepare(&context_, &queue_)) {}

  // Waits for one operation after the other.
  grpc::Status Read() {
    reader_->StartCall(this);
    Message message;
    for (bool more = Wait(); more && !ended_;) {
      reader_->Read(&message, this);
      more = Wait();
      if (more && !ended_ && !sink_(&message)) End();
    }
    grpc::Status status;
    reader_->Finish(&status, this);
    (void)Wait();
    queue_.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
    }
    return ended_ ? grpc::Status::OK : status;
  }

 private:
  static constexpr std::chrono::milliseconds kLook{100};

  void End() {
    ended_ = true;
    context_.TryCancel();
  }

  // For the operation that was begun; whether it succeeded.
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kLook) ==
           grpc::CompletionQueue::TIMEOUT) {
      if (!ended_ && !sink_(nullptr)) End();
    }
    return ok;
  }

  const Sink sink_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientAsyncReader<Message>> reader_;
  bool ended_ = false;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_SERVER_STREAM_H_
