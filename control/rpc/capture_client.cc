// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/capture_client.h"

#include <chrono>

#include "control/rpc/capture_convert.h"
#include "control/rpc/server_stream.h"

namespace evenkeel::rpc {
namespace {

int64_t NowUnixNs() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

grpc::Status ReadCapture(v1::Control::Stub& stub, const engine::CaptureRequest& request,
                         const engine::CaptureSink& sink, engine::CaptureReport* report) {
  *report = {.began_unix_ns = NowUnixNs()};
  ServerStream<v1::CaptureResponse> stream(
      [&](grpc::ClientContext* context, grpc::CompletionQueue* queue) {
        return stub.PrepareAsyncCapture(context, ToProto(request), queue);
      },
      [&](const v1::CaptureResponse* message) {
        if (message == nullptr) return sink(nullptr);
        if (message->has_summary()) {
          *report = ReportFromProto(*message);
          return true;
        }
        const engine::CaptureNews news = NewsFromProto(*message);
        report->packets += news.packets.size();
        report->counts = news.counts;
        report->ended_unix_ns = NowUnixNs();
        return sink(&news);
      });
  return stream.Read();
}

}  // namespace evenkeel::rpc
