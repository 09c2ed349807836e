// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "control/web/server.h"

namespace evenkeel::web {
namespace {

absl::Status Bad(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("is \"", std::string(text),
                   "\"; write an address and a port, such as 127.0.0.1:9469 or [::1]:9469"));
}

}  // namespace

absl::StatusOr<Endpoint> ParseEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text);
  Endpoint endpoint;
  uint32_t port = 0;
  const std::string digits(text.substr(colon + 1));
  if (digits.find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(digits, &port) || port > UINT16_MAX) {
    return Bad(text);
  }
  endpoint.port = static_cast<uint16_t>(port);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  endpoint.host = std::string(host);
  in_addr v4{};
  in6_addr v6{};
  if (!bracketed && endpoint.host == "localhost") {
    endpoint.loopback = true;
  } else if (!bracketed && ::inet_pton(AF_INET, endpoint.host.c_str(), &v4) == 1) {
    endpoint.loopback = (ntohl(v4.s_addr) >> 24) == 127;
  } else if (bracketed && ::inet_pton(AF_INET6, endpoint.host.c_str(), &v6) == 1) {
    endpoint.loopback = IN6_IS_ADDR_LOOPBACK(&v6);
  } else {
    return Bad(text);
  }
  return endpoint;
}

absl::Status Check(const Options& options) {
  const int files =
      !options.cert_file.empty() + !options.key_file.empty() + !options.client_ca_file.empty();
  if (files != 0 && files != 3) {
    return absl::InvalidArgumentError(
        "web.cert_file, web.key_file and web.client_ca_file go together: name all three, or none");
  }
  if (options.listen.empty()) {
    if (files == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "web.cert_file is set, but nothing listens by TCP; set web.listen");
  }
  const absl::StatusOr<Endpoint> endpoint = ParseEndpoint(options.listen);
  if (!endpoint.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("web.listen ", endpoint.status().message()));
  }
  if (endpoint->loopback || files == 3) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("web.listen is ", options.listen,
                   ", which others can reach: set web.cert_file, web.key_file and "
                   "web.client_ca_file, or listen on 127.0.0.1"));
}

}  // namespace evenkeel::web
