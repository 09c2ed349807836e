// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/drain_client.h"

#include <grpcpp/grpcpp.h>

#include "control/rpc/drain_convert.h"
#include "control/rpc/status.h"

namespace evenkeel::rpc {
namespace {

constexpr std::chrono::milliseconds kLook{100};

// Waits for one operation after the other.
class Stream {
 public:
  Stream(v1::Control::Stub& stub, const engine::DrainQuery& query, const engine::DrainSink& sink)
      : sink_(sink), reader_(stub.PrepareAsyncWatchDrain(&context_, ToProto(query), &queue_)) {}

  grpc::Status Read() {
    reader_->StartCall(this);
    absl::Status broken;
    v1::DrainProgress message;
    for (bool more = Wait(); more && !ended_;) {
      reader_->Read(&message, this);
      more = Wait();
      if (!more || ended_) break;
      const absl::StatusOr<engine::DrainProgress> progress = FromProto(message);
      if (!progress.ok()) {
        broken = progress.status();
        End();
      } else if (!sink_(&*progress)) {
        End();
      }
    }
    grpc::Status status;
    reader_->Finish(&status, this);
    (void)Wait();
    queue_.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
    }
    if (!broken.ok()) return ToGrpc(broken);
    return ended_ ? grpc::Status::OK : status;
  }

 private:
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

  const engine::DrainSink& sink_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientAsyncReader<v1::DrainProgress>> reader_;
  bool ended_ = false;
};

}  // namespace

grpc::Status ReadDrain(v1::Control::Stub& stub, const engine::DrainQuery& query,
                       const engine::DrainSink& sink) {
  return Stream(stub, query, sink).Read();
}

}  // namespace evenkeel::rpc
