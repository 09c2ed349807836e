// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_UDP_SERVER_H_
#define EVENKEEL_TESTS_PROBE_UDP_SERVER_H_

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "control/dataplane/unique_fd.h"

namespace evenkeel::testing {

// Answers each datagram as `answer` says; nullopt: not at all.
class UdpServer {
 public:
  using Answer = std::function<std::optional<std::string>(const std::string&)>;
  // `other_address`: what it sends comes from the address that the route back has, and not from
  // the one that was asked.
  UdpServer(uint16_t port, Answer answer, bool other_address = false)
      : fd_(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    const int told = other_address ? 0 : 1;
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &told, sizeof(told)), 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    thread_ = std::thread([this] { Serve(); });
  }
  ~UdpServer() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void Serve() {
    while (!stopping_) {
      pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&poll_fd, 1, 20) <= 0) continue;
      char buffer[2048];
      char control[256];  // with the address that was asked
      sockaddr_storage from{};
      iovec data{.iov_base = buffer, .iov_len = sizeof(buffer)};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof(from);
      message.msg_iov = &data;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      const ssize_t size = ::recvmsg(fd_.get(), &message, 0);
      if (size < 0) continue;
      auto reply = answer_({buffer, static_cast<size_t>(size)});
      if (!reply) continue;
      data = {.iov_base = reply->data(), .iov_len = reply->size()};
      ::sendmsg(fd_.get(), &message, 0);
    }
  }

  dataplane::UniqueFd fd_;
  const Answer answer_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_UDP_SERVER_H_
