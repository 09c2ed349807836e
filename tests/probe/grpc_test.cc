// SPDX-License-Identifier: Apache-2.0
//
// gRPC's health protocol, against gRPC's own health service.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probe/grpc_server.h"
#include "tests/probe/probe_fixture.h"
#include "tests/probe/server.h"
#include "tests/probe/tls_server.h"

namespace evenkeel::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Matcher;
using ::testing::StartsWith;

class GrpcTest : public ProbeTest {
 protected:
  static probe::Target Grpc(uint16_t port, const std::string& service = "",
                            const std::string& address = "127.0.0.1") {
    probe::Target target = To(address, port, Type::kGrpc, Millis{500}, Millis{500});
    target.check.service = service;
    return target;
  }
};

TEST_F(GrpcTest, AsksTheHealthServiceOfARealServer) {
  GrpcServer server("[::]:8000", /*health=*/true);
  server.Set("shop.v1.Cart", true);
  server.Set("shop.v1.Mail", false);
  for (const char* address : {"127.0.0.1", "::1"}) {
    EXPECT_EQ(Ask(Grpc(8000, "", address)).cause, "");
    EXPECT_TRUE(Ask(Grpc(8000, "shop.v1.Cart", address)).healthy);
    EXPECT_EQ(Ask(Grpc(8000, "shop.v1.Mail", address)).cause, "answers NOT_SERVING");
    EXPECT_EQ(Ask(Grpc(8000, "shop.v1.Nobody", address)).cause,
              "service \"shop.v1.Nobody\" is unknown to it (grpc-status 5)");
  }
  server.Set("shop.v1.Cart", false);
  EXPECT_EQ(Ask(Grpc(8000, "shop.v1.Cart")).cause, "answers NOT_SERVING");
}

TEST_F(GrpcTest, SaysThatAServerHasNoHealthService) {
  GrpcServer server("[::]:8000", /*health=*/false);
  EXPECT_EQ(Ask(Grpc(8000)).cause, "does not implement the health protocol (grpc-status 12)");
}

TEST_F(GrpcTest, AsksOverTls) {
  const TestCa ca;
  const Identity identity = ca.Issue("DNS:shop.example.com");
  GrpcServer server("[::]:8000", /*health=*/true, &identity);
  probe::Target target = Grpc(8000);
  target.check.tls = model::ProbeTls{};
  EXPECT_EQ(Ask(target).cause, "") << "not verified";
  target.check.tls = {.verify = true, .ca = ca.certificate(), .server_name = "shop.example.com"};
  EXPECT_EQ(Ask(target).cause, "");
  target.check.tls->server_name = "mail.example.com";
  EXPECT_THAT(Ask(target).cause, StartsWith("certificate not accepted: "));
  target.check.tls.reset();
  const probe::Result in_the_clear = Ask(target);
  EXPECT_FALSE(in_the_clear.healthy);
  EXPECT_FALSE(in_the_clear.own_fault);
}

TEST_F(GrpcTest, SaysOfOtherServersWhatTheyAre) {
  const auto answers = [](const std::string& answer) {
    return [answer](const Connection& c) {
      c.ReadRequest();
      c.Send(answer);
    };
  };
  Server http(8001, answers(HttpAnswer(200, "ok")));
  Server silent(8002, [](const Connection& c) { c.WaitForPeer(); });
  Server closing(8003, [](const Connection&) {});
  // HTTP/2's first frame, SETTINGS, and then nothing.
  Server half(8004, [](const Connection& c) {
    c.Send(std::string("\0\0\0\4\0\0\0\0\0", 9));
    c.WaitForPeer();
  });
  TlsServer tls(8005, HttpAnswer(200, "ok"));
  Server noise(8006, [](const Connection& c) {
    while (c.Send(std::string(100'000, '\xff'))) {
    }
  });
  const struct {
    uint16_t port;
    bool tls;
    Matcher<std::string> cause;
  } cases[] = {
      {8000, false, Eq("connection refused")},
      {8001, false, AnyOf("connection closed without a gRPC answer", "connection reset")},
      {8002, false, Eq("connected, but no gRPC answer within 500ms")},
      {8003, false,
       AnyOf(Eq("connection closed without an answer"), Eq("connection reset"),
             Eq("the answer is not HTTP/2"))},
      {8004, false, Eq("connected, but no gRPC answer within 500ms")},
      {8005, true, Eq("does not speak HTTP/2, which gRPC needs")},
      {8006, false, AnyOf("connection closed without a gRPC answer", "the answer is not HTTP/2")},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.port);
    probe::Target target = Grpc(c.port);
    if (c.tls) target.check.tls = model::ProbeTls{};
    const probe::Result result = Ask(target);
    EXPECT_FALSE(result.healthy);
    EXPECT_THAT(result.cause, c.cause);
    EXPECT_FALSE(result.own_fault);
    EXPECT_LT(result.took, Millis{900});
  }
  EXPECT_EQ(prober_->stats().open_sockets, 0u);
}

// Each probe is a connection of its own, and none is left.
TEST_F(GrpcTest, ClosesEverySocket) {
  GrpcServer server("[::]:8000", /*health=*/true);
  Server silent(8002, [](const Connection& c) { c.WaitForPeer(); });
  Start();
  SetTargets({Grpc(8000), Grpc(8002), Grpc(8003)});
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 3, kLimit));
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8002, 3, kLimit));
  SetTargets({});
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (prober_->stats().open_sockets > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(Millis{10});
  }
  EXPECT_EQ(prober_->stats().open_sockets, 0u);
  EXPECT_EQ(netns_->Output("ss -Htn state established dport = :8000"), "");
}

}  // namespace
}  // namespace evenkeel::testing
