// SPDX-License-Identifier: Apache-2.0
//
// One call of grpc.health.v1.Health/Check, without what carries it (gRPC over HTTP/2).
#ifndef EVENKEEL_CONTROL_PROBE_GRPC_HEALTH_H_
#define EVENKEEL_CONTROL_PROBE_GRPC_HEALTH_H_

#include <optional>
#include <string>
#include <string_view>

#include "control/probe/driver.h"

namespace evenkeel::probe {

inline constexpr char kGrpcHealthPath[] = "/grpc.health.v1.Health/Check";

// The body of the request: a message in its frame.
std::string GrpcHealthRequest(const std::string& service);

// Takes in what a server answers, in pieces of any size; holds little of it.
class GrpcHealthAnswer {
 public:
  // A line of the header or of the trailer.
  void AddHeader(std::string_view line);
  void AddBody(std::string_view bytes);
  // Once the answer is complete. `http_status` and `http2` are those of what carried it.
  Outcome Judge(const std::string& service, long http_status, bool http2) const;

 private:
  Outcome JudgeMessage() const;

  bool is_grpc_ = false;
  std::optional<uint32_t> status_;
  std::string message_;  // of the trailer
  std::string body_;     // at most one byte more than a frame may have
};

}  // namespace evenkeel::probe

#endif  // EVENKEEL_CONTROL_PROBE_GRPC_HEALTH_H_
