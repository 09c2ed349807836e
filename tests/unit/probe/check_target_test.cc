// SPDX-License-Identifier: Apache-2.0
#include "control/probe/check_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace evenkeel::probe {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

Target Good() {
  Target target{.pool = "web", .address = {}, .port = 8080, .check = {}};
  target.address = model::IpAddress::FromIpv4({10, 0, 0, 1});
  target.check.type = model::HealthCheck::Type::kHttp;
  return target;
}

struct Case {
  const char* name;
  std::function<void(Target&)> change;
  const char* fault;  // empty: none
};

const Case kCases[] = {
    {"plain", [](Target&) {}, ""},
    {"host name", [](Target& t) { t.check.host = "shop.example.com"; }, ""},
    {"host address", [](Target& t) { t.check.host = "10.1.1.1"; }, ""},
    {"host IPv6", [](Target& t) { t.check.host = "[fd00::1]"; }, ""},
    {"query", [](Target& t) { t.check.path = "/ready?full=1&x=%20"; }, ""},
    {"longest", [](Target& t) { t.check.interval = t.check.timeout = milliseconds{3'600'000}; },
     ""},
    {"port 0", [](Target& t) { t.port = 0; }, "port 0 cannot be probed"},
    {"no interval", [](Target& t) { t.check.interval = milliseconds{0}; }, "interval"},
    {"negative interval", [](Target& t) { t.check.interval = milliseconds{-1}; }, "interval"},
    {"interval too long", [](Target& t) { t.check.interval = milliseconds{3'600'001}; },
     "interval"},
    {"no timeout", [](Target& t) { t.check.timeout = milliseconds{0}; }, "timeout"},
    {"timeout above interval", [](Target& t) { t.check.timeout = milliseconds{2001}; }, "timeout"},
    {"path of another form", [](Target& t) { t.check.path = "ready"; }, "path"},
    {"no path", [](Target& t) { t.check.path = ""; }, "path"},
    {"header in the path", [](Target& t) { t.check.path = "/\r\nX: y"; }, "path"},
    {"space in the path", [](Target& t) { t.check.path = "/ HTTP/1.1"; }, "path"},
    {"header in the host", [](Target& t) { t.check.host = "a\r\nX: y"; }, "host"},
    {"credentials in the host", [](Target& t) { t.check.host = "me@a"; }, "host"},
    {"port in the host", [](Target& t) { t.check.host = "a:80"; }, ""},
    {"port that is none", [](Target& t) { t.check.host = "a:b"; }, "host"},
    {"no port after the colon", [](Target& t) { t.check.host = "a:"; }, "host"},
    {"ICMP",
     [](Target& t) {
       t.check.type = model::HealthCheck::Type::kIcmp;
       t.port = 0;
     },
     ""},
    {"ICMP with a port", [](Target& t) { t.check.type = model::HealthCheck::Type::kIcmp; },
     "icmp has no ports"},
    {"UDP without a question", [](Target& t) { t.check.type = model::HealthCheck::Type::kUdp; },
     "health_check.send"},
    {"path in the host", [](Target& t) { t.check.host = "a/b"; }, "host"},
    {"bracket alone", [](Target& t) { t.check.host = "["; }, "host"},
    {"no IPv6 in brackets", [](Target& t) { t.check.host = "[a]"; }, "host"},
    {"host too long", [](Target& t) { t.check.host = std::string(254, 'a'); }, "host"},
};

TEST(CheckTargetTest, SaysWhatIsWrong) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    Target target = Good();
    c.change(target);
    const absl::Status status = CheckTarget(target);
    if (*c.fault == '\0') {
      EXPECT_TRUE(status.ok()) << status;
      continue;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("health check of 10.0.0.1 in pool web: "));
    EXPECT_THAT(status.message(), HasSubstr(c.fault));
  }
}

}  // namespace
}  // namespace evenkeel::probe
