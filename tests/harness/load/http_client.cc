// SPDX-License-Identifier: Apache-2.0
#include "http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace evenkeel::load {
namespace {

using Clock = std::chrono::steady_clock;

Answer Failed(std::string_view step, int error) {
  Answer answer;
  answer.error = std::string(step) + ": " + std::strerror(error);
  answer.lost_before_answer = error == ECONNRESET || error == EPIPE;
  return answer;
}

// 0 once `events` are there, else an errno.
int WaitFor(int fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int Connect(int fd, const Target& target, Clock::time_point deadline) {
  if (connect(fd, reinterpret_cast<const sockaddr*>(&target.address), target.length) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int error = WaitFor(fd, POLLOUT, deadline); error != 0) return error;
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

int SendAll(int fd, std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (const int error = WaitFor(fd, POLLOUT, deadline); error != 0) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// The value of a header; empty where it is absent. `head` ends before the empty line.
std::string_view FindHeader(std::string_view head, std::string_view name) {
  for (size_t pos = head.find("\r\n"); pos != std::string_view::npos;) {
    const std::string_view line = head.substr(pos + 2, head.find("\r\n", pos + 2) - pos - 2);
    if (line.size() > name.size() + 1 && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      std::string_view value = line.substr(name.size() + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      return value;
    }
    pos = head.find("\r\n", pos + 2);
  }
  return {};
}

constexpr size_t kUnknownLength = SIZE_MAX;

// Bytes of header and body, as the header announces; kUnknownLength before it is complete.
size_t AnswerLength(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return kUnknownLength;
  const std::string_view text = FindHeader(bytes.substr(0, end), "Content-Length");
  size_t length = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), length);
  return parsed.ec == std::errc() ? end + 4 + length : kUnknownLength;
}

// Until the answer is complete, as a client does that knows how long it is: what happens to the
// connection afterwards is nobody's loss. Or to the end of the connection.
int Receive(int fd, std::string* bytes, Clock::time_point deadline) {
  char buffer[16384];
  for (;;) {
    const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    if (got == 0) return 0;
    if (got > 0) {
      bytes->append(buffer, static_cast<size_t>(got));
      if (bytes->size() >= AnswerLength(*bytes)) return 0;
    } else if (errno == EAGAIN) {
      if (const int error = WaitFor(fd, POLLIN, deadline); error != 0) return error;
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

}  // namespace

std::optional<Target> MakeTarget(const std::string& address, uint16_t port) {
  Target target;
  target.host = address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&target.address);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    target.length = sizeof(*v4);
    return target;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&target.address);
  if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    target.length = sizeof(*v6);
    target.host = "[" + address + "]";
    return target;
  }
  return std::nullopt;
}

Answer JudgeAnswer(std::string_view bytes) {
  Answer answer;
  if (bytes.empty()) {
    answer.error = "closed without an answer";
    answer.lost_before_answer = true;
    return answer;
  }
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    answer.error = "the header is cut short";
    return answer;
  }
  const std::string_view head = bytes.substr(0, end);
  answer.backend = FindHeader(head, "X-Backend");
  if (!head.starts_with("HTTP/1.1 200 ")) {
    answer.error = "not 200: " + std::string(head.substr(0, head.find("\r\n")));
  } else if (answer.backend.empty()) {
    answer.error = "no X-Backend header";
  } else if (bytes.size() != AnswerLength(bytes)) {
    answer.error = "the body is not as long as announced";
  }
  return answer;
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

Answer Connection::Get(std::string_view path, bool last, std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  if (fd_ < 0) {
    fd_ = socket(target_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return Failed("socket", errno);
    if (const int error = Connect(fd_, target_, deadline); error != 0) {
      return Failed("connect", error);
    }
  }
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: ").append(target_.host);
  request.append(last ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
  if (const int error = SendAll(fd_, request, deadline); error != 0) {
    return Failed("send", error);
  }
  std::string bytes;
  if (const int error = Receive(fd_, &bytes, deadline); error != 0) {
    Answer answer = Failed("receive", error);
    answer.lost_before_answer = answer.lost_before_answer && bytes.empty();
    return answer;
  }
  return JudgeAnswer(bytes);
}

Answer Get(const Target& target, std::string_view path, std::chrono::milliseconds timeout) {
  return Connection(target).Get(path, /*last=*/true, timeout);
}

}  // namespace evenkeel::load
