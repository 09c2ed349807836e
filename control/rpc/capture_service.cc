// SPDX-License-Identifier: Apache-2.0
//
// Capture: a stream whose queue is the ring in the kernel. A client that does not read costs a
// thread until the capture's time is over, and what it misses.
#include "absl/strings/str_cat.h"
#include "control/rpc/capture_convert.h"
#include "control/rpc/control_service.h"
#include "control/rpc/peer.h"
#include "control/rpc/status.h"

namespace evenkeel::rpc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kMakeRoom{2};

}  // namespace

// The engine has one capture at a time; what else is here was one, and its client does not read the
// rest of it.
grpc::Status ControlService::AddCapture(OpenStream* stream) {
  std::unique_lock lock(mutex_);
  const auto is_room = [&] { return captures_.size() < kMaxCaptures; };
  if (!is_room()) {
    for (OpenStream* other : captures_) {
      if (other->writing && Clock::now() - *other->writing > kStuck) other->context->TryCancel();
    }
    idle_.wait_for(lock, kMakeRoom, is_room);
  }
  if (!is_room()) {
    return ToGrpc(
        absl::ResourceExhaustedError(absl::StrCat("there are ", kMaxCaptures,
                                                  " captures whose clients do not read them to "
                                                  "their end; end one of these")));
  }
  captures_.insert(stream);
  return grpc::Status::OK;
}

void ControlService::RemoveCapture(OpenStream* stream) {
  std::lock_guard lock(mutex_);
  captures_.erase(stream);
  idle_.notify_all();
}

grpc::Status ControlService::Capture(grpc::ServerContext* context,
                                     const v1::CaptureRequest* request,
                                     grpc::ServerWriter<v1::CaptureResponse>* writer) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  absl::StatusOr<engine::CaptureRequest> asked = FromProto(*request);
  if (!asked.ok()) return ToGrpc(asked.status());
  asked->author = DescribePeer(context->peer());
  OpenStream stream{.context = context};
  if (grpc::Status status = AddCapture(&stream); !status.ok()) return status;
  bool gone = false;
  const absl::StatusOr<engine::CaptureReport> report =
      engine_->Capture(*asked, [&](const engine::CaptureNews* news) {
        if (context->IsCancelled() || ending()) return false;
        if (news == nullptr) return true;
        SetWriting(&stream, true);
        gone = !writer->Write(ToProto(*news));
        SetWriting(&stream, false);
        return !gone;
      });
  RemoveCapture(&stream);
  if (!report.ok()) return ToGrpc(report.status());
  if (gone || context->IsCancelled()) {
    return {grpc::StatusCode::CANCELLED, "the one who listened went away"};
  }
  writer->Write(ToProto(*report));
  if (ending()) return ToGrpc(absl::UnavailableError(kEnding));
  return grpc::Status::OK;
}

}  // namespace evenkeel::rpc
