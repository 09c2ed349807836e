// SPDX-License-Identifier: Apache-2.0
//
// A server on a socket of the test's own, over an engine on a fake kernel; reached as any client
// does (raw stub), and through rpc::Connect.
#ifndef EVENKEEL_TESTS_UNIT_RPC_SERVER_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_RPC_SERVER_FIXTURE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "control/rpc/client.h"
#include "control/rpc/config_convert.h"
#include "control/rpc/server.h"
#include "evenkeel/v1/control.grpc.pb.h"
#include "tests/unit/engine/engine_fixture.h"

namespace evenkeel::rpc {

class ServerFixture : public engine::EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    MustStart();
    socket_ = dir_ + "/run/d.sock";
    Serve();
    client_ = Connect(socket_);
    channel_ = MakeChannel();
    stub_ = v1::Control::NewStub(channel_);
  }
  void TearDown() override {
    client_.reset();
    stub_.reset();
    channel_.reset();
    server_.reset();
    EngineFixture::TearDown();
  }

  void Serve() {
    auto server = Server::Listen(socket_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_TRUE(server_->Serve(engine_.get()).ok());
  }
  // As a client that knows nothing of ours: gRPC's own limits.
  std::shared_ptr<grpc::Channel> MakeChannel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("unix:" + socket_, grpc::InsecureChannelCredentials(),
                                     arguments);
  }
  v1::ApplyRequest MakeApply(const model::Config& config) {
    v1::ApplyRequest request;
    *request.mutable_change()->mutable_config() = ToProto(config);
    request.set_etag(engine_->Get()->etag);
    request.set_reason("a test");
    return request;
  }
  grpc::Status Apply(const v1::ApplyRequest& request, v1::ApplyResponse* response = nullptr) {
    v1::ApplyResponse ignored;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return stub_->Apply(&context, request, response != nullptr ? response : &ignored);
  }

  std::string socket_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<engine::Engine> client_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Control::Stub> stub_;
};

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_TESTS_UNIT_RPC_SERVER_FIXTURE_H_
