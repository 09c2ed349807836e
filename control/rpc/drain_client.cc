// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/drain_client.h"

#include <grpcpp/grpcpp.h>

#include "control/rpc/drain_convert.h"
#include "control/rpc/server_stream.h"
#include "control/rpc/status.h"

namespace evenkeel::rpc {

grpc::Status ReadDrain(v1::Control::Stub& stub, const engine::DrainQuery& query,
                       const engine::DrainSink& sink) {
  absl::Status broken;
  ServerStream<v1::DrainProgress> stream(
      [&](grpc::ClientContext* context, grpc::CompletionQueue* queue) {
        return stub.PrepareAsyncWatchDrain(context, ToProto(query), queue);
      },
      [&](const v1::DrainProgress* message) {
        if (message == nullptr) return sink(nullptr);
        const absl::StatusOr<engine::DrainProgress> progress = FromProto(*message);
        if (!progress.ok()) broken = progress.status();
        return progress.ok() && sink(&*progress);
      });
  grpc::Status status = stream.Read();
  return broken.ok() ? status : ToGrpc(broken);
}

}  // namespace evenkeel::rpc
