// SPDX-License-Identifier: Apache-2.0
#include "control/probe/grpc_health.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "control/probe/socket.h"
#include "grpc/health/v1/health.pb.h"

namespace evenkeel::probe {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// A frame: whether it is compressed, the length of the message (big-endian), the message.
constexpr size_t kFrameHeader = 5;
constexpr size_t kMaxAnswer = 1024;  // a message of the protocol has a few bytes
constexpr size_t kMaxMessage = 120;

constexpr uint32_t kOk = 0;
constexpr uint32_t kNotFound = 5;
constexpr uint32_t kUnimplemented = 12;

Outcome Bad(std::string_view cause) {
  return {.healthy = false, .own_fault = false, .cause = PlainText(cause)};
}

absl::string_view Av(std::string_view text) { return {text.data(), text.size()}; }

uint32_t ReadLength(std::string_view frame) {
  uint32_t length = 0;
  for (size_t i = 1; i < kFrameHeader; ++i) {
    length = (length << 8) | static_cast<unsigned char>(frame[i]);
  }
  return length;
}

}  // namespace

std::string GrpcHealthRequest(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  const std::string message = request.SerializeAsString();
  std::string frame(1, '\0');  // not compressed
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>((message.size() >> shift) & 0xff));
  }
  return frame + message;
}

void GrpcHealthAnswer::AddHeader(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const absl::string_view name = Av(line.substr(0, colon));
  const absl::string_view value = absl::StripAsciiWhitespace(Av(line.substr(colon + 1)));
  if (absl::EqualsIgnoreCase(name, "content-type")) {
    is_grpc_ = absl::StartsWithIgnoreCase(value, "application/grpc");
  } else if (absl::EqualsIgnoreCase(name, "grpc-status")) {
    uint32_t status = 0;
    status_.reset();
    if (absl::SimpleAtoi(value, &status)) status_ = status;
  } else if (absl::EqualsIgnoreCase(name, "grpc-message")) {
    message_ = std::string(value.substr(0, kMaxMessage));
  }
}

void GrpcHealthAnswer::AddBody(std::string_view bytes) {
  body_.append(bytes.substr(0, kMaxAnswer + 1 - std::min(body_.size(), kMaxAnswer + 1)));
}

Outcome GrpcHealthAnswer::Judge(const std::string& service, long http_status, bool http2) const {
  if (!http2) return Bad("does not speak HTTP/2, which gRPC needs");
  if (http_status != 200) return Bad(absl::StrCat("HTTP status ", http_status, ", no gRPC answer"));
  if (!is_grpc_) return Bad("the answer is not gRPC");
  if (!status_) return Bad("the answer has no grpc-status");
  switch (*status_) {
    case kOk:
      return JudgeMessage();
    case kNotFound:
      return Bad(absl::StrCat("service \"", service.substr(0, kMaxMessage),
                              "\" is unknown to it (grpc-status 5)"));
    case kUnimplemented:
      return Bad("does not implement the health protocol (grpc-status 12)");
    default:
      return Bad(absl::StrCat("grpc-status ", *status_, message_.empty() ? "" : ": ", message_));
  }
}

Outcome GrpcHealthAnswer::JudgeMessage() const {
  HealthCheckResponse response;
  if (body_.size() < kFrameHeader || body_.size() > kMaxAnswer || body_[0] != '\0' ||
      ReadLength(body_) != body_.size() - kFrameHeader ||
      !response.ParseFromString(body_.substr(kFrameHeader))) {
    return Bad("the answer is no message of the health protocol");
  }
  if (response.status() == HealthCheckResponse::SERVING) return OutcomeOfErrno(0);
  const std::string& name = HealthCheckResponse::ServingStatus_Name(response.status());
  if (!name.empty()) return Bad(absl::StrCat("answers ", name));
  return Bad(absl::StrCat("answers the unknown status ", static_cast<int>(response.status())));
}

}  // namespace evenkeel::probe
