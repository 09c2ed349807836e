// SPDX-License-Identifier: Apache-2.0
//
// The judge of all end-to-end tests must itself be right: what it must call a failure, and what
// only counts as lost before an answer.
#include "http_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace evenkeel::load {
namespace {

struct JudgeCase {
  std::string name;
  std::string bytes;
  std::string backend;
  std::string error;
  bool lost = false;
};

class JudgeAnswerTest : public testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeAnswerTest, Judges) {
  const Answer answer = JudgeAnswer(GetParam().bytes);
  EXPECT_EQ(answer.error, GetParam().error);
  EXPECT_EQ(answer.backend, GetParam().backend);
  EXPECT_EQ(answer.lost_before_answer, GetParam().lost);
}

const JudgeCase kCases[] = {
    {"complete", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Backend: b1\r\n\r\nb1\n", "b1", ""},
    {"headerNameInOtherCase", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-backend:b2\r\n\r\n", "b2",
     ""},
    {"empty", "", "", "closed without an answer", true},
    {"cutInHeader", "HTTP/1.1 200 OK\r\nX-Backend: b1\r\n", "", "the header is cut short"},
    {"cutInBody", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Backend: b1\r\n\r\nb1", "b1",
     "the body is not as long as announced"},
    {"bodyTooLong", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Backend: b1\r\n\r\nb1", "b1",
     "the body is not as long as announced"},
    {"noLength", "HTTP/1.1 200 OK\r\nX-Backend: b1\r\n\r\n", "b1",
     "the body is not as long as announced"},
    {"otherStatus", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nX-Backend: b1\r\n\r\n", "b1",
     "not 200: HTTP/1.1 503 Busy"},
    {"noBackend", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", "no X-Backend header"},
    {"similarHeaderName", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Backend-2: b1\r\n\r\n", "",
     "no X-Backend header"},
};
INSTANTIATE_TEST_SUITE_P(Cases, JudgeAnswerTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

// A server on the loopback interface that treats one connection as told.
class OneShotServer {
 public:
  explicit OneShotServer(void (*serve)(int fd)) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    if (serve == nullptr) return;
    thread_ = std::jthread([this, serve] {
      const int fd = accept(listener_, nullptr, nullptr);
      serve(fd);
      close(fd);
    });
  }
  ~OneShotServer() {
    if (thread_.joinable()) thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  int listener_;
  uint16_t port_ = 0;
  std::jthread thread_;
};

void ReadRequest(int fd) {
  char buffer[4096];
  EXPECT_GT(recv(fd, buffer, sizeof(buffer), 0), 0);
}

void Reset(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

Answer GetFrom(const OneShotServer& server, std::chrono::milliseconds timeout) {
  return Get(*MakeTarget("127.0.0.1", server.port()), "/", timeout);
}

TEST(GetTest, GoodAnswer) {
  const OneShotServer server([](int fd) {
    ReadRequest(fd);
    const std::string_view bytes =
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Backend: b7\r\n\r\nb7\n";
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  });
  const Answer answer = GetFrom(server, std::chrono::seconds(5));
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.backend, "b7");
}

TEST(GetTest, ResetBeforeAnswerIsLost) {
  const OneShotServer server([](int fd) {
    ReadRequest(fd);
    Reset(fd);
  });
  const Answer answer = GetFrom(server, std::chrono::seconds(5));
  EXPECT_EQ(answer.error, "receive: Connection reset by peer");
  EXPECT_TRUE(answer.lost_before_answer);
}

TEST(GetTest, ResetAfterTheWholeAnswerIsNoLoss) {
  const OneShotServer server([](int fd) {
    ReadRequest(fd);
    const std::string_view bytes =
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Backend: b7\r\n\r\nb7\n";
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    usleep(50'000);
    Reset(fd);
  });
  EXPECT_EQ(GetFrom(server, std::chrono::seconds(5)).error, "");
}

TEST(GetTest, ResetWithinAnswerIsAFailure) {
  const OneShotServer server([](int fd) {
    ReadRequest(fd);
    send(fd, "HTTP/1.1 200", 12, MSG_NOSIGNAL);
    usleep(50'000);  // the client reads the first bytes before the reset discards them
    Reset(fd);
  });
  const Answer answer = GetFrom(server, std::chrono::seconds(5));
  EXPECT_EQ(answer.error, "receive: Connection reset by peer");
  EXPECT_FALSE(answer.lost_before_answer);
}

TEST(GetTest, SilentServerTimesOut) {
  const OneShotServer server(nullptr);
  const Answer answer = GetFrom(server, std::chrono::milliseconds(100));
  EXPECT_EQ(answer.error, "receive: Connection timed out");
  EXPECT_FALSE(answer.lost_before_answer);
}

TEST(MakeTargetTest, Addresses) {
  EXPECT_EQ(MakeTarget("192.0.2.10", 80)->host, "192.0.2.10");
  EXPECT_EQ(MakeTarget("2001:db8::10", 80)->host, "[2001:db8::10]");
  EXPECT_FALSE(MakeTarget("localhost", 80).has_value());
}

}  // namespace
}  // namespace evenkeel::load
