// SPDX-License-Identifier: Apache-2.0
//
// WatchDrain: a stream that costs a thread and nothing else, of which there are so many at most.
#include "absl/strings/str_cat.h"
#include "control/rpc/control_service.h"
#include "control/rpc/drain_convert.h"
#include "control/rpc/status.h"

namespace evenkeel::rpc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kMakeRoom{2};

}  // namespace

grpc::Status ControlService::AddDrain(OpenStream* stream) {
  std::unique_lock lock(mutex_);
  const auto is_room = [&] { return drains_.size() < kMaxDrains; };
  if (!is_room()) {
    for (OpenStream* other : drains_) {
      if (other->writing && Clock::now() - *other->writing > kStuck) other->context->TryCancel();
    }
    idle_.wait_for(lock, kMakeRoom, is_room);
  }
  if (!is_room()) {
    return ToGrpc(absl::ResourceExhaustedError(
        absl::StrCat("there are ", kMaxDrains, " who wait for drains already; end one of them")));
  }
  drains_.insert(stream);
  return grpc::Status::OK;
}

void ControlService::RemoveDrain(OpenStream* stream) {
  std::lock_guard lock(mutex_);
  drains_.erase(stream);
  idle_.notify_all();
}

void ControlService::SetWriting(OpenStream* stream, bool writing) {
  std::lock_guard lock(mutex_);
  stream->writing.reset();
  if (writing) stream->writing = Clock::now();
}

bool ControlService::ending() {
  std::lock_guard lock(mutex_);
  return ending_;
}

grpc::Status ControlService::WatchDrain(grpc::ServerContext* context,
                                        const v1::DrainRequest* request,
                                        grpc::ServerWriter<v1::DrainProgress>* writer) {
  const Running running(this);
  if (!running.status().ok()) return running.status();
  const absl::StatusOr<engine::DrainQuery> query = FromProto(*request);
  if (!query.ok()) return ToGrpc(query.status());
  OpenStream stream{.context = context};
  if (grpc::Status status = AddDrain(&stream); !status.ok()) return status;
  bool gone = false;
  const absl::Status status =
      engine_->WatchDrain(*query, [&](const engine::DrainProgress* progress) {
        if (context->IsCancelled() || ending()) return false;
        if (progress == nullptr) return true;
        SetWriting(&stream, true);
        gone = !writer->Write(ToProto(*progress));
        SetWriting(&stream, false);
        return !gone;
      });
  RemoveDrain(&stream);
  if (!status.ok()) return ToGrpc(status, absl::StrCat("backends/", query->backend));
  if (gone || context->IsCancelled()) {
    return {grpc::StatusCode::CANCELLED, "the one who waited went away"};
  }
  if (ending()) return ToGrpc(absl::UnavailableError(kEnding));
  return grpc::Status::OK;
}

}  // namespace evenkeel::rpc
