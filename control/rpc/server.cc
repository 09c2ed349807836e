// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_posix.h>

#include <mutex>

#include "control/rpc/control_service.h"
#include "control/rpc/status.h"
#include "control/rpc/unix_listener.h"

namespace evenkeel::rpc {
namespace {

constexpr std::chrono::milliseconds kDefaultGrace{2000};
constexpr std::chrono::milliseconds kFlush{100};
// A stream holds a thread; the rest is for calls, which applies make wait for one another.
constexpr int kMaxThreads =
    static_cast<int>(ControlService::kMaxWatchers + ControlService::kMaxDrains) + 64;

// Process-wide settings of gRPC that must be made before the first server is built.
void PrepareGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

}  // namespace

struct Server::Impl {
  std::unique_ptr<UnixListener> listener;
  std::unique_ptr<ControlService> service;
  std::unique_ptr<grpc::Server> server;  // null until Serve
  std::once_flag shut_down;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { Shutdown(kDefaultGrace); }

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(const std::string& socket) {
  absl::StatusOr<std::unique_ptr<UnixListener>> listener = UnixListener::Listen(socket);
  if (!listener.ok()) return listener.status();
  auto impl = std::make_unique<Impl>();
  impl->listener = *std::move(listener);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

absl::Status Server::Serve(engine::Engine* engine) {
  PrepareGrpc();
  impl_->service = std::make_unique<ControlService>(engine);
  grpc::ResourceQuota quota("evenkeel");
  quota.SetMaxThreads(kMaxThreads);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxTransportBytes);
  builder.RegisterService(impl_->service.get());
  impl_->server = builder.BuildAndStart();
  if (impl_->server == nullptr) return absl::InternalError("the gRPC server cannot be started");
  impl_->server->GetHealthCheckService()->SetServingStatus(v1::Control::service_full_name(), true);

  // The connections are accepted here and handed to gRPC, not accepted by gRPC, so that a call can
  // be traced to its descriptor and the descriptor to its user (peer.h).
  impl_->listener->Start(
      [server = impl_->server.get()](int fd) { grpc::AddInsecureChannelFromFd(server, fd); });
  return absl::OkStatus();
}

void Server::Shutdown(std::chrono::milliseconds grace) {
  std::call_once(impl_->shut_down, [&] {
    impl_->listener->Stop();
    if (impl_->server == nullptr) return;
    impl_->server->GetHealthCheckService()->Shutdown();
    impl_->service->Drain(grace);
    // Time for the last answers to leave, no more: gRPC waits for clients that hold an idle
    // connection to close it.
    impl_->server->Shutdown(std::chrono::system_clock::now() + kFlush);
  });
}

}  // namespace evenkeel::rpc
