// SPDX-License-Identifier: Apache-2.0
//
// HTTP GETs over one connection, checked: what a client of the service sees.
#ifndef EVENKEEL_TESTS_HARNESS_LOAD_HTTP_CLIENT_H_
#define EVENKEEL_TESTS_HARNESS_LOAD_HTTP_CLIENT_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel::load {

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string host;  // for the Host header
};
// `address` is an IPv4 or IPv6 address without brackets. Empty if it is neither.
std::optional<Target> MakeTarget(const std::string& address, uint16_t port);

struct Answer {
  std::string backend;  // the X-Backend header
  std::string error;    // empty: a complete answer with status 200 and an X-Backend header
  // The connection was reset or closed before the first byte of an answer. HTTP lets a client
  // repeat an idempotent request then (RFC 9110, section 9.2.2).
  bool lost_before_answer = false;
};

// Judges all bytes that were received.
Answer JudgeAnswer(std::string_view bytes);

class Connection {
 public:
  explicit Connection(const Target& target) : target_(target) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Connects where it is not yet. `last`: the server is told to close afterwards. Never blocks
  // longer than `timeout`. After an error the connection is of no use any more.
  Answer Get(std::string_view path, bool last, std::chrono::milliseconds timeout);

 private:
  const Target target_;
  int fd_ = -1;
};

// One request on a connection of its own.
Answer Get(const Target& target, std::string_view path, std::chrono::milliseconds timeout);

}  // namespace evenkeel::load

#endif  // EVENKEEL_TESTS_HARNESS_LOAD_HTTP_CLIENT_H_
