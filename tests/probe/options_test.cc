// SPDX-License-Identifier: Apache-2.0
//
// What a check of HTTP or HTTPS may ask for beyond a path, and what it verifies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/probe/probe_fixture.h"
#include "tests/probe/server.h"
#include "tests/probe/tls_server.h"

namespace evenkeel::testing {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Matcher;
using ::testing::StartsWith;

constexpr long kDay = 86400;

class OptionsTest : public ProbeTest {
 protected:
  static probe::Target Http(uint16_t port, Type type = Type::kHttp) {
    return To("127.0.0.1", port, type, Millis{300}, Millis{300});
  }
};

TEST_F(OptionsTest, TakesTheStatusThatTheCheckNames) {
  Server server(8000, [](const Connection& c) {
    const std::string request = c.ReadRequest();
    c.Send(HttpAnswer(std::stoi(request.substr(request.find('/') + 1)), "x"));
  });
  const struct {
    std::vector<model::StatusRange> status;
    const char* code;
    const char* cause;
  } cases[] = {
      {{}, "399", ""},
      {{}, "400", "HTTP status 400"},
      {{{204, 204}}, "204", ""},
      {{{204, 204}}, "200", "HTTP status 200"},
      {{{204, 204}, {401, 403}}, "401", ""},
      {{{204, 204}, {401, 403}}, "403", ""},
      {{{204, 204}, {401, 403}}, "404", "HTTP status 404"},
      {{{500, 599}}, "302", "HTTP status 302"},
  };
  for (const auto& c : cases) {
    probe::Target target = Http(8000);
    target.check.path = absl::StrCat("/", c.code);
    target.check.status = c.status;
    EXPECT_EQ(Ask(target).cause, c.cause) << c.code;
  }
}

TEST_F(OptionsTest, LooksForATextInTheBody) {
  Server server(8000, [](const Connection& c) {
    const std::string request = c.ReadRequest();
    c.Send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    if (request.starts_with("GET /late")) c.Send(std::string(60'000, 'x'));
    if (request.starts_with("GET /none")) return;
    // In two pieces, and what comes first repeats the text's beginning.
    c.Send("status: re");
    c.Sleep(Millis{20});
    c.Send("ready, all is well");
  });
  const struct {
    const char* path;
    const char* text;
    const char* cause;
  } cases[] = {
      {"/", "ready", ""},
      {"/", "status: reready, all is well", ""},
      {"/late", "ready", ""},
      {"/", "Ready", "the body does not contain \"Ready\""},
      {"/", "well.", "the body does not contain \"well.\""},
      {"/none", "ready", "the body does not contain \"ready\""},
      {"/none", "", ""},
  };
  for (const auto& c : cases) {
    probe::Target target = Http(8000);
    target.check.path = c.path;
    target.check.body = c.text;
    EXPECT_EQ(Ask(target).cause, c.cause) << c.path << " " << c.text;
  }
}

TEST_F(OptionsTest, AsksByHead) {
  std::mutex mu;
  std::string request;
  Server server(8000, [&](const Connection& c) {
    const std::string got = c.ReadRequest();
    {
      const std::lock_guard lock(mu);
      request = got;
    }
    c.Send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");  // of what GET would get
    c.WaitForPeer();
  });
  probe::Target target = Http(8000);
  target.check.method = model::HealthCheck::Method::kHead;
  target.check.host = "shop.example.com:8443";
  EXPECT_EQ(Ask(target).cause, "");
  const std::lock_guard lock(mu);
  EXPECT_THAT(request, StartsWith("HEAD / HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nHost: shop.example.com:8443\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nConnection: close\r\n"));
}

// Each redirect asks for another; whoever followed would never come back.
TEST_F(OptionsTest, ARedirectLoopCostsOneConnection) {
  Server server(8000, [](const Connection& c) {
    const std::string request = c.ReadRequest();
    c.Send(HttpAnswer(302, "", "Location: /again\r\n"));
  });
  probe::Target target = Http(8000);
  target.check.status = {{200, 299}};
  EXPECT_EQ(Ask(target).cause, "HTTP status 302");
  EXPECT_LE(server.accepted(), prober_->stats().started);
}

TEST_F(OptionsTest, VerifiesCertificatesIfAsked) {
  const TestCa ca;
  const TestCa other;
  const std::string answer = HttpAnswer(200, "ok");
  TlsServer named(8001, answer, ca.Issue("DNS:shop.example.com"));
  TlsServer by_address(8002, answer, ca.Issue("IP:127.0.0.1"));
  TlsServer expired(8003, answer, ca.Issue("DNS:shop.example.com", -2 * kDay));
  TlsServer too_early(8004, answer, ca.Issue("DNS:shop.example.com", 2 * kDay));
  TlsServer stranger(8005, answer);
  Server plain(8006, [](const Connection& c) { c.Send(HttpAnswer(400, "")); });
  const struct {
    const char* name;
    uint16_t port;
    bool verify;
    const std::string* ca;
    const char* host;
    const char* server_name;
    Matcher<std::string> cause;
  } cases[] = {
      {"by its name", 8001, true, &ca.certificate(), "", "shop.example.com", Eq("")},
      {"by the host", 8001, true, &ca.certificate(), "shop.example.com:8443", "", Eq("")},
      {"by its address", 8002, true, &ca.certificate(), "", "", Eq("")},
      {"by another address", 8002, true, &ca.certificate(), "", "10.0.0.1",
       StartsWith("certificate not accepted: SSL: no alternative certificate subject name")},
      {"wrong name", 8001, true, &ca.certificate(), "", "mail.example.com",
       StartsWith("certificate not accepted: SSL: no alternative certificate subject name")},
      {"name goes before host", 8001, true, &ca.certificate(), "shop.example.com",
       "mail.example.com",
       StartsWith("certificate not accepted: SSL: no alternative certificate subject name")},
      {"no name", 8001, true, &ca.certificate(), "", "",
       StartsWith("certificate not accepted: SSL: no alternative certificate subject name")},
      {"another authority", 8001, true, &other.certificate(), "", "shop.example.com",
       Eq("certificate not accepted: unable to get local issuer certificate")},
      {"expired", 8003, true, &ca.certificate(), "", "shop.example.com",
       Eq("certificate not accepted: certificate has expired")},
      {"not valid yet", 8004, true, &ca.certificate(), "", "shop.example.com",
       Eq("certificate not accepted: certificate is not yet valid")},
      {"stranger", 8005, true, &ca.certificate(), "", "other.example",
       StartsWith("certificate not accepted: ")},
      {"stranger, not verified", 8005, false, nullptr, "", "", Eq("")},
      {"in the clear", 8006, true, &ca.certificate(), "", "", StartsWith("TLS handshake failed: ")},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    probe::Target target = Http(c.port, Type::kHttps);
    target.check.host = c.host;
    target.check.tls = model::ProbeTls{
        .verify = c.verify, .ca = c.ca != nullptr ? *c.ca : "", .server_name = c.server_name};
    const probe::Result result = Ask(target);
    EXPECT_THAT(result.cause, c.cause);
    EXPECT_EQ(result.healthy, result.cause.empty());
    EXPECT_FALSE(result.own_fault);
  }
}

TEST_F(OptionsTest, SaysTheServerNameInTheHello) {
  TlsServer server(8001, HttpAnswer(200, "ok"));
  probe::Target target = Http(8001, Type::kHttps);
  target.check.host = "shop.example.com:8443";
  EXPECT_EQ(Ask(target).cause, "");
  EXPECT_EQ(server.server_name(), "shop.example.com");
  target.check.tls = model::ProbeTls{.server_name = "internal.example.com"};
  EXPECT_EQ(Ask(target).cause, "");
  EXPECT_EQ(server.server_name(), "internal.example.com");
  target.check.tls = model::ProbeTls{.server_name = "10.0.0.1"};
  EXPECT_EQ(Ask(target).cause, "");
  EXPECT_EQ(server.server_name(), "");
}

// A blob that OpenSSL cannot read is the configuration's fault, not the server's.
TEST_F(OptionsTest, BlamesItselfForACaThatIsNone) {
  TlsServer server(8001, HttpAnswer(200, "ok"));
  probe::Target target = Http(8001, Type::kHttps);
  target.check.tls = model::ProbeTls{
      .verify = true, .ca = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"};
  const probe::Result result = Ask(target);
  EXPECT_TRUE(result.own_fault);
  EXPECT_EQ(result.cause, "tls.ca cannot be used; check it");
}

}  // namespace
}  // namespace evenkeel::testing
