// SPDX-License-Identifier: Apache-2.0
#include "tests/probe/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace evenkeel::testing {
namespace {

constexpr int kTickMs = 20;

bool Wait(int fd, short events, int timeout_ms) {
  pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
  return ::poll(&poll_fd, 1, timeout_ms) > 0;
}

dataplane::UniqueFd Listen(uint16_t port) {
  dataplane::UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int off = 0;
  const int on = 1;
  EXPECT_EQ(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0)
      << port << ": " << std::strerror(errno);
  EXPECT_EQ(::listen(fd.get(), 4096), 0) << port << ": " << std::strerror(errno);
  return fd;
}

}  // namespace

std::string Connection::ReadRequest() const {
  std::string request;
  while (!stopping_ && request.find("\r\n\r\n") == std::string::npos) {
    if (!Wait(fd_, POLLIN, kTickMs)) continue;
    char buffer[4096];
    const ssize_t size = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (size <= 0) break;
    request.append(buffer, static_cast<size_t>(size));
  }
  return request;
}

bool Connection::Send(const std::string& data) const {
  size_t sent = 0;
  while (sent < data.size()) {
    if (stopping_) return false;
    const ssize_t size = ::send(fd_, data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN) return false;
    if (size < 0) {
      Wait(fd_, POLLOUT, kTickMs);
      continue;
    }
    sent += static_cast<size_t>(size);
  }
  return true;
}

bool Connection::Sleep(std::chrono::milliseconds time) const {
  char byte = 0;
  for (const auto end = std::chrono::steady_clock::now() + time; !stopping_;) {
    const ssize_t size = ::recv(fd_, &byte, 1, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN)) return false;
    if (std::chrono::steady_clock::now() >= end) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return false;
}

void Connection::WaitForPeer() const {
  while (Sleep(std::chrono::milliseconds{kTickMs})) {
  }
}

void Connection::Reset() const {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
}

// IPv4 on a socket of IPv6.
std::string Connection::LocalAddress() const {
  sockaddr_in6 local{};
  socklen_t length = sizeof(local);
  EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &length), 0);
  char text[INET6_ADDRSTRLEN] = "";
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&local.sin6_addr);
  const uint8_t* bytes = local.sin6_addr.s6_addr;
  ::inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? bytes + 12 : bytes, text, sizeof(text));
  return text;
}

Server::Server(uint16_t port, Serve serve)
    : listener_(Listen(port)), serve_(std::move(serve)), thread_([this] { Accept(); }) {}

Server::~Server() {
  stopping_ = true;
  thread_.join();
  for (std::thread& connection : connections_) connection.join();
}

void Server::Accept() {
  while (!stopping_) {
    if (!Wait(listener_.get(), POLLIN, kTickMs)) continue;
    dataplane::UniqueFd fd(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) continue;
    ++accepted_;
    if (!serve_) continue;
    connections_.emplace_back(
        [this, owned = std::move(fd)] { serve_(Connection(owned.get(), stopping_)); });
  }
}

std::string HttpAnswer(int status, const std::string& body, const std::string& header) {
  return absl::StrCat("HTTP/1.1 ", status, " Text\r\nContent-Length: ", body.size(), "\r\n", header,
                      "\r\n", body);
}

}  // namespace evenkeel::testing
