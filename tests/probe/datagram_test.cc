// SPDX-License-Identifier: Apache-2.0
//
// Probes by UDP and by ICMP echo.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/probe/echo_server.h"
#include "tests/probe/probe_fixture.h"
#include "tests/probe/udp_server.h"

namespace evenkeel::testing {
namespace {

using namespace std::string_literals;

class DatagramTest : public ProbeTest {
 protected:
  static probe::Target Udp(uint16_t port, const std::string& send, const std::string& start = "",
                           const std::string& expect = "") {
    probe::Target target = To("127.0.0.1", port, Type::kUdp, Millis{300}, Millis{300});
    target.check.send = send;
    target.check.expect_start = start;
    target.check.expect = expect;
    return target;
  }

  static probe::Target Icmp(const std::string& address, Millis interval = Millis{300}) {
    return To(address, 0, Type::kIcmp, interval, interval);
  }
};

TEST_F(DatagramTest, AsksByUdpAndLooksAtTheAnswer) {
  UdpServer echo(8000, [](const std::string& asked) { return "re: " + asked; });
  UdpServer silent(8001, [](const std::string&) { return std::nullopt; });
  UdpServer empty(8002, [](const std::string&) { return ""; });
  const std::string query = "\x12\x34\x01\x00\x00\x01"s;
  EXPECT_EQ(Ask(Udp(8000, query)).cause, "");
  EXPECT_EQ(Ask(Udp(8000, query, "re: \x12\x34"s, "\x00\x01"s)).cause, "");
  EXPECT_EQ(Ask(Udp(8000, query, "\x12\x34"s)).cause, "the answer does not begin with \\x124");
  EXPECT_EQ(Ask(Udp(8000, query, "re", "\x81")).cause, "the answer does not contain \\x81");
  EXPECT_EQ(Ask(Udp(8001, query)).cause, "no answer within 300ms");
  EXPECT_EQ(Ask(Udp(8002, query)).cause, "");
  EXPECT_EQ(Ask(Udp(8002, query, "", "x")).cause, "the answer does not contain x");
  auto v6 = Udp(8000, query);
  v6.address = *model::IpAddress::Parse("::1");
  EXPECT_EQ(Ask(v6).cause, "");
  EXPECT_EQ(prober_->stats().open_sockets, 0u);
}

TEST_F(DatagramTest, HearsAtOnceThatNobodyListens) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    auto target = Udp(8000, "x");
    target.address = *model::IpAddress::Parse(address);
    target.check.interval = target.check.timeout = Millis{2000};
    const probe::Result result = Ask(target);
    EXPECT_EQ(result.cause, "port unreachable: nobody listens there") << address;
    EXPECT_FALSE(result.own_fault);
    EXPECT_LT(result.took, Millis{500});
  }
}

// An answer from elsewhere is no answer.
TEST_F(DatagramTest, TakesNoAnswerFromAnotherAddress) {
  const auto answer = [](const std::string&) -> std::optional<std::string> { return "x"; };
  UdpServer good(8000, answer);
  UdpServer bad(8001, answer, /*other_address=*/true);
  auto target = Udp(8000, "x");
  target.address = *model::IpAddress::Parse("127.0.1.1");
  EXPECT_EQ(Ask(target).cause, "");
  target.port = 8001;
  EXPECT_EQ(Ask(target).cause, "no answer within 300ms");
}

class EchoTest : public DatagramTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    DatagramTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Nobody, or everybody.
    netns_->Run(GetParam() ? "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range"
                           : "echo 1 0 > /proc/sys/net/ipv4/ping_group_range");
  }
  // Sockets of both families.
  size_t SocketsIn(const char* kind) {
    size_t sockets = 0;
    for (const char* suffix : {"", "6"}) {
      const std::string lines = netns_->Output("tail -n +2 /proc/net/"s + kind + suffix);
      sockets += static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n'));
    }
    return sockets;
  }
};

TEST_P(EchoTest, IsAnsweredOrNot) {
  EXPECT_EQ(Ask(Icmp("127.0.0.1")).cause, "");
  EXPECT_EQ(Ask(Icmp("::1")).cause, "");
  EXPECT_EQ(Ask(Icmp("10.99.0.1")).cause, "no echo reply within 300ms");
  const probe::Result unreachable = Ask(Icmp("192.0.2.1"));
  EXPECT_EQ(unreachable.cause, "network unreachable");
  EXPECT_FALSE(unreachable.own_fault);
  EXPECT_EQ(SocketsIn("icmp"), GetParam() ? 2u : 0u);
  EXPECT_EQ(SocketsIn("raw"), GetParam() ? 0u : 2u);
}

// One socket for all, and each answer goes to its question.
TEST_P(EchoTest, TellsManyTargetsApart) {
  Start();
  std::vector<probe::Target> targets;
  for (int n = 1; n <= 100; ++n) {
    targets.push_back(Icmp("127.0.1." + std::to_string(n), Millis{200}));
    targets.push_back(Icmp("10.99.0." + std::to_string(n), Millis{200}));
  }
  SetTargets(targets);
  for (int n = 1; n <= 100; ++n) {
    ASSERT_TRUE(seeing_.WaitFor("127.0.1." + std::to_string(n), 0, 3, kLimit));
    ASSERT_TRUE(seeing_.WaitFor("10.99.0." + std::to_string(n), 0, 3, kLimit));
  }
  SetTargets({});
  for (const auto& [key, all] : seeing_.All()) {
    const bool there = key.first.starts_with("127.");
    for (const Seen& seen : all) {
      EXPECT_EQ(seen.result.cause, there ? "" : "no echo reply within 200ms") << key.first;
    }
  }
  EXPECT_LE(SocketsIn("icmp") + SocketsIn("raw"), 1u);
}

// Whoever sends another one may do so, and the right one counts all the same.
TEST_P(EchoTest, TakesNoReplyButThatOfTheTargetToThisRequest) {
  const EchoServer::Edit right = [](EchoPacket&) {};
  const EchoServer::Edit other_address = [](EchoPacket& reply) {
    reply.ip.saddr = inet_addr("10.99.0.2");
  };
  const EchoServer::Edit other_number = [](EchoPacket& reply) { ++reply.number; };
  const EchoServer::Edit other_sequence = [](EchoPacket& reply) { ++reply.icmp.un.echo.sequence; };
  const struct {
    const char* name;
    std::vector<EchoServer::Edit> replies;
    bool healthy;
  } cases[] = {
      {"right", {right}, true},
      {"other-address", {other_address}, false},
      {"other-number", {other_number}, false},
      {"other-sequence", {other_sequence}, false},
      {"others-first", {other_address, other_number, other_sequence, right}, true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const EchoServer server("bh1", c.replies);
    const probe::Result result = Ask(Icmp("10.99.0.1", Millis{500}));
    EXPECT_EQ(result.cause, c.healthy ? "" : "no echo reply within 500ms");
    EXPECT_FALSE(result.own_fault);
  }
}

INSTANTIATE_TEST_SUITE_P(Socket, EchoTest, ::testing::Bool(),
                         [](const auto& p) { return p.param ? "Ping" : "Raw"; });

}  // namespace
}  // namespace evenkeel::testing
