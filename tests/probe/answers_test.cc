// SPDX-License-Identifier: Apache-2.0
//
// What a prober says about servers of every kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
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

constexpr size_t kLimitBytes = 64 * 1024;

void Silent(const Connection& c) { c.WaitForPeer(); }
void ClosesAtOnce(const Connection&) {}
void Resets(const Connection& c) {
  c.ReadRequest();
  c.Reset();
}

Server::Serve Answers(const std::string& answer) {
  return [answer](const Connection& c) {
    c.ReadRequest();
    c.Send(answer);
  };
}

// One byte of a status line at a time.
void SlowLoris(const Connection& c) {
  c.ReadRequest();
  for (const char byte : HttpAnswer(200, std::string(1000, 'x'))) {
    if (!c.Send(std::string(1, byte)) || !c.Sleep(Millis{100})) return;
  }
}

void SlowBody(const Connection& c) {
  c.ReadRequest();
  c.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  while (c.Send("x") && c.Sleep(Millis{100})) {
  }
}

void EndlessHeader(const Connection& c) {
  c.ReadRequest();
  c.Send("HTTP/1.1 200 OK\r\n");
  for (const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n"; c.Send(line);) {
  }
}

struct Case {
  const char* name;
  Type type;
  Server::Serve serve;
  Matcher<std::string> cause;  // "": healthy
};

std::vector<Case> Cases() {
  return {
      {"tcp-accepts", Type::kTcp, Silent, Eq("")},
      {"tcp-closes-at-once", Type::kTcp, ClosesAtOnce, Eq("")},
      {"tcp-nobody", Type::kTcp, nullptr, Eq("connection refused")},
      {"http-200", Type::kHttp, Answers(HttpAnswer(200, "ok")), Eq("")},
      {"http-204", Type::kHttp, Answers("HTTP/1.1 204 No Content\r\n\r\n"), Eq("")},
      {"http-1.0", Type::kHttp, Answers("HTTP/1.0 200 OK\r\n\r\nok"), Eq("")},
      {"http-chunked", Type::kHttp,
       Answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
       Eq("")},
      {"http-399", Type::kHttp, Answers(HttpAnswer(399, "")), Eq("")},
      {"http-400", Type::kHttp, Answers(HttpAnswer(400, "")), Eq("HTTP status 400")},
      {"http-503", Type::kHttp, Answers(HttpAnswer(503, "busy")), Eq("HTTP status 503")},
      {"http-redirect-elsewhere", Type::kHttp,
       Answers(HttpAnswer(302, "", "Location: http://127.0.0.1:1/\r\n")), Eq("")},
      {"http-body-at-the-limit", Type::kHttp,
       Answers(HttpAnswer(200, std::string(kLimitBytes, 'x'))), Eq("")},
      {"http-body-above-the-limit", Type::kHttp,
       Answers(HttpAnswer(200, std::string(kLimitBytes + 1, 'x'))),
       Eq("body has more than 64 KiB")},
      {"http-endless-header", Type::kHttp, EndlessHeader, Eq("HTTP header has more than 64 KiB")},
      {"http-nobody", Type::kHttp, nullptr, Eq("connection refused")},
      {"http-silent", Type::kHttp, Silent, Eq("connected, but no HTTP answer within 1s")},
      {"http-slow-loris", Type::kHttp, SlowLoris, HasSubstr(" within 1s")},
      {"http-slow-body", Type::kHttp, SlowBody, Eq("HTTP answer not complete within 1s")},
      // Which of them depends on whether the request was read.
      {"http-closes-at-once", Type::kHttp, ClosesAtOnce,
       AnyOf("connection closed without an answer", "connection reset")},
      {"http-closes-after-the-request", Type::kHttp, Answers(""),
       Eq("connection closed without an answer")},
      {"http-resets", Type::kHttp, Resets, Eq("connection reset")},
      {"http-short-body", Type::kHttp, Answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"),
       Eq("connection closed within the body")},
      {"http-bad-chunk", Type::kHttp,
       Answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n"),
       StartsWith("HTTP: ")},
      {"http-of-another-protocol", Type::kHttp, Answers("SSH-2.0-OpenSSH_9.2\r\n"),
       Eq("the answer is not HTTP")},
      {"https-in-the-clear", Type::kHttps, [](const Connection& c) { c.Send(HttpAnswer(400, "")); },
       StartsWith("TLS handshake failed: ")},
      {"https-nobody", Type::kHttps, nullptr, Eq("connection refused")},
      {"https-silent", Type::kHttps, Silent, Eq("connected, but no TLS answer within 1s")},
      {"https-closes-at-once", Type::kHttps, ClosesAtOnce,
       AnyOf(StartsWith("TLS handshake failed: "), "connection reset")},
  };
}

TEST_F(ProbeTest, SaysOfEveryKindOfServerWhatItIs) {
  const std::vector<Case> cases = Cases();
  std::vector<std::unique_ptr<Server>> servers;
  std::vector<probe::Target> targets;
  const auto port = [](size_t i) { return static_cast<uint16_t>(8000 + i); };
  for (size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].serve) servers.push_back(std::make_unique<Server>(port(i), cases[i].serve));
    for (const char* address : {"127.0.0.1", "::1"}) {
      targets.push_back(To(address, port(i), cases[i].type));
    }
  }
  Start();
  SetTargets(targets);
  for (size_t i = 0; i < cases.size(); ++i) {
    for (const char* address : {"127.0.0.1", "::1"}) {
      SCOPED_TRACE(absl::StrCat(cases[i].name, " on ", address));
      ASSERT_TRUE(seeing_.WaitFor(address, port(i), 2, kLimit));
      for (const Seen& seen : seeing_.Of(address, port(i))) {
        EXPECT_THAT(seen.result.cause, cases[i].cause);
        EXPECT_EQ(seen.result.healthy, seen.result.cause.empty());
        EXPECT_FALSE(seen.result.own_fault);
        EXPECT_LT(seen.result.took, Millis{1500});
      }
    }
  }
}

TEST_F(ProbeTest, SaysWhatTheNetworkDoes) {
  netns_->Run("ip route add prohibit 10.98.0.0/24; ip route add unreachable 10.97.0.0/24");
  Start();
  SetTargets({To("10.99.0.1", 80), To("10.99.0.1", 81, Type::kHttp), To("192.0.2.1", 80),
              To("10.97.0.1", 80), To("10.98.0.1", 80), To("10.98.0.1", 81, Type::kHttp),
              To("2001:db8::1", 80)});
  const struct {
    const char* address;
    uint16_t port;
    Matcher<std::string> cause;
    bool own_fault;
  } cases[] = {
      {"10.99.0.1", 80, Eq("no answer within 1s"), false},
      {"10.99.0.1", 81, Eq("no answer within 1s"), false},
      {"192.0.2.1", 80, Eq("network unreachable"), false},
      {"10.97.0.1", 80, Eq("host unreachable"), false},
      {"10.98.0.1", 80, Eq("this host's firewall or policy forbids it"), true},
      {"10.98.0.1", 81, Eq("this host's firewall or policy forbids it"), true},
      {"2001:db8::1", 80, AnyOf("network unreachable", HasSubstr("no local address")), false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(absl::StrCat(c.address, ":", c.port));
    ASSERT_TRUE(seeing_.WaitFor(c.address, c.port, 1, kLimit));
    const probe::Result result = seeing_.Of(c.address, c.port)[0].result;
    EXPECT_FALSE(result.healthy);
    EXPECT_THAT(result.cause, c.cause);
    EXPECT_EQ(result.own_fault, c.own_fault);
  }
}

// It listens, and takes nobody in: what it has not accepted fills its backlog.
TEST_F(ProbeTest, SaysThatAServerTakesNobodyIn) {
  const dataplane::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(8000);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), any, sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  std::vector<dataplane::UniqueFd> waiting;
  for (int n = 0; n < 4; ++n) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), any, sizeof(address));
  }
  std::this_thread::sleep_for(Millis{50});
  Start();
  for (const Type type : {Type::kTcp, Type::kHttp, Type::kHttps, Type::kGrpc}) {
    seeing_.Clear();
    SetTargets({To("127.0.0.1", 8000, type, Millis{300}, Millis{300})});
    ASSERT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 1, kLimit));
    EXPECT_EQ(seeing_.Of("127.0.0.1", 8000)[0].result.cause, "no answer within 300ms");
  }
}

TEST_F(ProbeTest, StopsReadingABodyWithoutEnd) {
  std::atomic<uint64_t> sent{0};
  Server server(8000, [&](const Connection& c) {
    c.ReadRequest();
    c.Send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    const std::string block(1 << 16, 'x');
    while (sent < (1u << 30) && c.Send(block)) sent += block.size();
  });
  Start();
  SetTargets({To("127.0.0.1", 8000, Type::kHttp)});
  ASSERT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 1, kLimit));
  const probe::Result result = seeing_.Of("127.0.0.1", 8000)[0].result;
  EXPECT_EQ(result.cause, "body has more than 64 KiB");
  EXPECT_LT(result.took, Millis{900});
  EXPECT_LT(sent, 64u << 20);  // what fits into the sockets' buffers
}

TEST_F(ProbeTest, DoesNotFollowRedirects) {
  Server server(8000, Answers(HttpAnswer(301, "", "Location: /again\r\n")));
  Start();
  SetTargets({To("127.0.0.1", 8000, Type::kHttp)});
  ASSERT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 2, kLimit));
  SetTargets({});
  for (const Seen& seen : seeing_.Of("127.0.0.1", 8000)) EXPECT_EQ(seen.result.cause, "");
  EXPECT_LE(server.accepted(), prober_->stats().started);
}

TEST_F(ProbeTest, AsksForWhatTheCheckSays) {
  std::mutex mu;
  std::string request;
  Server server(8000, [&](const Connection& c) {
    const std::string got = c.ReadRequest();
    {
      const std::lock_guard lock(mu);
      request = got;
    }
    c.Send(HttpAnswer(200, ""));
  });
  Start();
  const auto ask = [&](const std::string& host) {
    auto target = To("127.0.0.1", 8000, Type::kHttp, Millis{200}, Millis{200});
    target.check.host = host;
    target.check.path = "/a/../b//c?x=%20#y";
    seeing_.Clear();
    SetTargets({target});
    EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8000, 1, kLimit));
    SetTargets({});
    const std::lock_guard lock(mu);
    return request;
  };
  EXPECT_THAT(ask(""), HasSubstr("\r\nHost: 127.0.0.1:8000\r\n"));
  EXPECT_THAT(ask("[fd00::1]:81"), HasSubstr("\r\nHost: [fd00::1]:81\r\n"));
  // Would be looked up otherwise, and there is no name server.
  const std::string got = ask("shop.example.com");
  EXPECT_THAT(got, StartsWith("GET /a/../b//c?x=%20#y HTTP/1.1\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nHost: shop.example.com\r\n"));
  EXPECT_THAT(got, ::testing::ContainsRegex("\r\nUser-Agent: evenkeel/[0-9.]+\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(ProbeTest, AsksOverTlsWithoutVerifying) {
  TlsServer good(8443, HttpAnswer(200, "ok"));
  TlsServer bad(8444, HttpAnswer(500, "no"));
  Start();
  auto named = To("127.0.0.1", 8443, Type::kHttps);
  named.check.host = "shop.example.com";
  SetTargets({named, To("::1", 8444, Type::kHttps)});
  ASSERT_TRUE(seeing_.WaitFor("127.0.0.1", 8443, 2, kLimit));
  ASSERT_TRUE(seeing_.WaitFor("::1", 8444, 2, kLimit));
  EXPECT_EQ(seeing_.Of("127.0.0.1", 8443)[0].result.cause, "");
  EXPECT_EQ(seeing_.Of("::1", 8444)[0].result.cause, "HTTP status 500");
  EXPECT_EQ(good.server_name(), "shop.example.com");
  EXPECT_EQ(bad.server_name(), "");
}

TEST_F(ProbeTest, ProbesNginx) {
  char dir[] = "/tmp/ek-probe-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  std::ofstream(absl::StrCat(dir, "/nginx.conf"))
      << "daemon on; pid " << dir << "/pid; error_log " << dir << "/error.log;\n"
      << "events {}\nhttp { access_log off; server { listen 127.0.0.1:8080; listen [::1]:8080;\n"
      << "location = /ok { return 200 ok; } location = /no { return 503; } } }\n";
  netns_->Run(absl::StrCat("nginx -c ", dir, "/nginx.conf"));
  Start();
  auto no = To("::1", 8080, Type::kHttp);
  no.check.path = "/no";
  auto ok = To("127.0.0.1", 8080, Type::kHttp);
  ok.check.path = "/ok";
  SetTargets({ok, no, To("127.0.0.1", 8080)});
  EXPECT_TRUE(seeing_.WaitFor("::1", 8080, 3, kLimit));
  EXPECT_TRUE(seeing_.WaitFor("127.0.0.1", 8080, 6, kLimit));
  netns_->Run(absl::StrCat("kill -QUIT $(cat ", dir, "/pid); rm -rf ", dir));
  for (const Seen& seen : seeing_.Of("::1", 8080)) {
    EXPECT_EQ(seen.result.cause, "HTTP status 503");
  }
  const auto good = seeing_.Of("127.0.0.1", 8080);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(good[i].result.cause, "") << i;
}

}  // namespace
}  // namespace evenkeel::testing
