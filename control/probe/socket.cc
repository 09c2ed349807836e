// SPDX-License-Identifier: Apache-2.0
#include "control/probe/socket.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::probe {
namespace {

constexpr size_t kMaxCause = 200;

bool IsOwnFault(int error) {
  switch (error) {
    case EMFILE:  // descriptors of the process
    case ENFILE:  // of the host
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL:  // no local port or address left
    case EAFNOSUPPORT:   // IPv6 is switched off
    case EACCES:         // a local firewall or policy
    case EPERM:
    case EAGAIN:
      return true;
    default:
      return false;
  }
}

std::string Words(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case ECONNRESET:
    case EPIPE:
      return "connection reset";
    case ETIMEDOUT:
      return "connection timed out";
    case EHOSTUNREACH:
      return "host unreachable";
    case ENETUNREACH:
      return "network unreachable";
    case EMFILE:
    case ENFILE:
      return "this host has no file descriptor left";
    case EADDRNOTAVAIL:
    case EAGAIN:
      return "this host has no local address or port left";
    case EACCES:
    case EPERM:
      return "this host's firewall or policy forbids it";
    default:
      return absl::StrCat(IsOwnFault(error) ? "this host: " : "", std::strerror(error));
  }
}

dataplane::UniqueFd Open(const Target& target, int type) {
  return dataplane::UniqueFd(::socket(target.address.is_ipv4() ? AF_INET : AF_INET6,
                                      type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace

SocketAddress ToSocketAddress(const model::IpAddress& address, uint16_t port) {
  SocketAddress result;
  if (address.is_ipv4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, address.bytes().data(), sizeof(v4->sin_addr));
    result.length = sizeof(*v4);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, address.bytes().data(), sizeof(v6->sin6_addr));
    result.length = sizeof(*v6);
  }
  return result;
}

dataplane::UniqueFd OpenTcpSocket(const Target& target) {
  dataplane::UniqueFd fd = Open(target, SOCK_STREAM);
  // Thousands of probes a second would leave as many sockets in TIME_WAIT for a minute.
  const linger reset{.l_onoff = 1, .l_linger = 0};
  if (fd.valid() && ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0) {
    return {};
  }
  return fd;
}

dataplane::UniqueFd OpenUdpSocket(const Target& target) { return Open(target, SOCK_DGRAM); }

Outcome OutcomeOfErrno(int error) {
  if (error == 0) return {.healthy = true, .cause = {}};
  return {.healthy = false, .own_fault = IsOwnFault(error), .cause = Words(error)};
}

std::string PlainText(std::string_view text) {
  std::string plain(text.substr(0, kMaxCause));
  for (char& c : plain) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return plain;
}

std::string DurationText(std::chrono::milliseconds duration) {
  if (duration.count() % 1000 == 0) return absl::StrCat(duration.count() / 1000, "s");
  return absl::StrCat(duration.count(), "ms");
}

}  // namespace evenkeel::probe
