// SPDX-License-Identifier: Apache-2.0
#include "control/probe/check_target.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::probe {
namespace {

using std::chrono::milliseconds;

// As model::Validate has them.
constexpr milliseconds kMinInterval{10};
constexpr milliseconds kMaxInterval{3'600'000};
constexpr size_t kMaxHost = 253;  // RFC 1035

// In the URL, the Host header and the TLS hello: nothing there that could end one of them.
bool IsName(std::string_view host) {
  return host.size() <= kMaxHost && absl::ascii_isalnum(static_cast<unsigned char>(host[0])) &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
         });
}

bool IsPath(std::string_view path) {
  return !path.empty() && path[0] == '/' &&
         std::all_of(path.begin(), path.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

std::string FaultOf(const Target& target) {
  const model::HealthCheck& check = target.check;
  if (target.port == 0) return "port 0 cannot be probed; set health_check.port";
  if (check.interval < kMinInterval || check.interval > kMaxInterval) {
    return "the interval must be 10ms to 1h";
  }
  if (check.timeout < milliseconds{1} || check.timeout > check.interval) {
    return "the timeout must be 1ms to the interval";
  }
  if (check.type == model::HealthCheck::Type::kTcp) return {};
  if (!IsPath(check.path)) return "the path must begin with \"/\" and be printable ASCII";
  if (!target.host.empty() && !IsName(target.host) &&
      !(target.host.front() == '[' && target.host.back() == ']' &&
        model::IpAddress::Parse(target.host.substr(1, target.host.size() - 2)).ok())) {
    return "the host must be a name or an address, IPv6 in brackets";
  }
  return {};
}

}  // namespace

absl::Status CheckTarget(const Target& target) {
  const std::string fault = FaultOf(target);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("health check of ", target.address.ToString(),
                                                 " in pool ", target.pool, ": ", fault));
}

}  // namespace evenkeel::probe
