// SPDX-License-Identifier: Apache-2.0
//
// The one place where outcomes and absl::Status become grpc::Status with google.rpc details, and
// where the client reads them back. docs/api.md is its description.
#ifndef EVENKEEL_CONTROL_RPC_STATUS_H_
#define EVENKEEL_CONTROL_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "control/engine/engine.h"

namespace evenkeel::rpc {

// The largest request. gRPC itself takes more and refuses only what is far above, because it does
// so without a helpful word, and holds such a call until its deadline.
// A million prefixes of source rules take 17 MiB, 45 MiB if all of them are whole IPv6 addresses.
inline constexpr int kMaxMessageBytes = 64 << 20;
inline constexpr int kMaxTransportBytes = 2 * kMaxMessageBytes;

// Details travel in a trailer, and a client refuses trailers above its limit: 8 KiB in gRPC, unless
// it was set higher. A client that takes more says so in this metadata key of its request.
inline constexpr char kDetailBytesKey[] = "evenkeel-detail-bytes";
inline constexpr size_t kDefaultDetailBytes = 6 << 10;
inline constexpr size_t kMaxDetailBytes = 8 << 20;

// For an outcome that is no success: kInvalid, kRefused, kStale, kFailed. What does not fit into
// `detail_bytes` is left out: first the verdict, then the last violations, counted in a violation
// of the type "TRUNCATED".
grpc::Status ToGrpc(const engine::Outcome& outcome, size_t detail_bytes);

// For the reading calls. NotFound gets ResourceInfo of `resource` ("revisions/7").
grpc::Status ToGrpc(const absl::Status& status, const std::string& resource = "");

// The client's side. `has_verdict`: the daemon's whole verdict was in the details.
struct Decoded {
  engine::Outcome outcome;
  bool has_verdict = false;
};
Decoded OutcomeFromGrpc(const grpc::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

// True where the daemon itself answered: its errors carry ErrorInfo, those of the transport do not.
bool IsFromDaemon(const grpc::Status& status);

}  // namespace evenkeel::rpc

#endif  // EVENKEEL_CONTROL_RPC_STATUS_H_
