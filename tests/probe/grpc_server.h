// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_GRPC_SERVER_H_
#define EVENKEEL_TESTS_PROBE_GRPC_SERVER_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "tests/probe/certificates.h"

namespace evenkeel::testing {

// A gRPC server of the calling thread's namespace, with gRPC's own health service where `health`
// says so. It fails the test if it cannot listen on `address`: "[::]:8000".
class GrpcServer {
 public:
  GrpcServer(const std::string& address, bool health, const Identity* identity = nullptr);

  // Of the empty name: of the whole server, which serves until it is told otherwise.
  void Set(const std::string& service, bool serving);

 private:
  grpc::CallbackGenericService nothing_;  // implements no call
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_GRPC_SERVER_H_
