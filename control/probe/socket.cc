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

dataplane::UniqueFd OpenPlain(const model::IpAddress& to, int type) {
  return dataplane::UniqueFd(
      ::socket(to.is_ipv4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

dataplane::UniqueFd Open(const Target& target, int type) {
  dataplane::UniqueFd fd = OpenPlain(target.destination(), type);
  if (!target.via || !fd.valid()) return fd;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &target.via->mark, sizeof(uint32_t)) != 0) {
    return {};
  }
  const std::optional<SocketAddress> source = SourceFor(target);
  if (!source) return fd;
  const int on = 1;  // the port is chosen with the destination known: others may have it, too
  if (::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0 ||
      ::bind(fd.get(), source->get(), source->length) != 0) {
    return {};
  }
  return fd;
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

std::optional<SocketAddress> SourceFor(const Target& target) {
  const bool same = target.address.is_ipv4() == target.destination().is_ipv4();
  const model::IpAddress& peer = same ? target.address : target.destination();
  const dataplane::UniqueFd fd = OpenPlain(peer, SOCK_DGRAM);
  constexpr uint16_t kAnyPort = 9;  // nothing is sent
  const SocketAddress to = ToSocketAddress(peer, kAnyPort);
  SocketAddress source;
  source.length = sizeof(source.storage);
  if (!fd.valid() || ::connect(fd.get(), to.get(), to.length) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&source.storage), &source.length) != 0) {
    return std::nullopt;
  }
  // Both families have the port at the same place.
  reinterpret_cast<sockaddr_in*>(&source.storage)->sin_port = 0;
  return source;
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
  return {.healthy = false,
          .own_fault = IsOwnFault(error),
          .cause = Words(error),
          .refused = error == ECONNREFUSED};
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
