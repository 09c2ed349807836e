// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_SERVER_H_
#define EVENKEEL_TESTS_PROBE_SERVER_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/dataplane/unique_fd.h"

namespace evenkeel::testing {

// One connection of a server, as the test's code sees it.
class Connection {
 public:
  Connection(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}

  // Up to the end of the request's header, or of the connection.
  std::string ReadRequest() const;
  // False once the peer is gone or the server ends.
  bool Send(const std::string& data) const;
  // Until the peer is gone or the server ends.
  void WaitForPeer() const;
  // True if `time` went by and the peer is there.
  bool Sleep(std::chrono::milliseconds time) const;
  void Reset() const;  // RST instead of FIN
  // The address of ours that the peer connected to: "10.9.0.11".
  std::string LocalAddress() const;
  int fd() const { return fd_; }

 private:
  int fd_;
  const std::atomic<bool>& stopping_;
};

// A TCP server on `port` of every address, IPv6 and IPv4, of the calling thread's namespace: calls
// `serve` for each connection on a thread of its own, then closes it. Without `serve` connections
// are accepted and closed by one thread. It fails the test if it cannot listen.
class Server {
 public:
  using Serve = std::function<void(const Connection&)>;
  explicit Server(uint16_t port, Serve serve = nullptr);
  ~Server();

  uint64_t accepted() const { return accepted_; }

 private:
  void Accept();

  dataplane::UniqueFd listener_;
  const Serve serve_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> accepted_{0};
  std::vector<std::thread> connections_;  // of thread_ until it is joined
  std::thread thread_;
};

// A whole answer: status line, header, body.
std::string HttpAnswer(int status, const std::string& body, const std::string& header = "");

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_SERVER_H_
