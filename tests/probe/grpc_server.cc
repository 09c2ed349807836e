// SPDX-License-Identifier: Apache-2.0
#include "tests/probe/grpc_server.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>

namespace evenkeel::testing {

GrpcServer::GrpcServer(const std::string& address, bool health, const Identity* identity) {
  grpc::EnableDefaultHealthCheckService(health);
  auto credentials = grpc::InsecureServerCredentials();
  if (identity != nullptr) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({identity->key, identity->certificate});
    credentials = grpc::SslServerCredentials(options);
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, credentials);
  builder.RegisterCallbackGenericService(&nothing_);
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr) << address;
}

void GrpcServer::Set(const std::string& service, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(service, serving);
}

}  // namespace evenkeel::testing
