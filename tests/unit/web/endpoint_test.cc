// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "control/web/server.h"

namespace evenkeel::web {
namespace {

using ::testing::HasSubstr;

TEST(ParseEndpoint, ReadsAddressesAndPorts) {
  struct Case {
    const char* text;
    const char* host;
    uint16_t port;
    bool loopback;
  };
  for (const Case& c :
       {Case{"127.0.0.1:9469", "127.0.0.1", 9469, true},
        Case{"127.8.9.10:1", "127.8.9.10", 1, true}, Case{"localhost:80", "localhost", 80, true},
        Case{"[::1]:65535", "::1", 65535, true}, Case{"0.0.0.0:9469", "0.0.0.0", 9469, false},
        Case{"[::]:9469", "::", 9469, false}, Case{"128.0.0.1:9469", "128.0.0.1", 9469, false},
        Case{"[2001:db8::1]:0", "2001:db8::1", 0, false}}) {
    const auto endpoint = ParseEndpoint(c.text);
    ASSERT_TRUE(endpoint.ok()) << c.text << endpoint.status();
    EXPECT_EQ(endpoint->host, c.host);
    EXPECT_EQ(endpoint->port, c.port);
    EXPECT_EQ(endpoint->loopback, c.loopback) << c.text;
  }
}

TEST(ParseEndpoint, SaysWhatItWants) {
  for (const char* text : {"", "9469", ":9469", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[::1]", "[127.0.0.1]:80",
                           "[localhost]:80", "example.com:80", "127.1:80", "[]:80"}) {
    const auto endpoint = ParseEndpoint(text);
    EXPECT_FALSE(endpoint.ok()) << text;
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr("127.0.0.1:9469")) << text;
  }
}

TEST(CheckOptions, OthersGetThereOnlyWithTls) {
  EXPECT_TRUE(Check({}).ok());
  EXPECT_TRUE(Check({.listen = "127.0.0.1:1"}).ok());
  const auto open = Check({.listen = "0.0.0.0:1"});
  EXPECT_THAT(std::string(open.message()), HasSubstr("which others can reach"));
  Options tls{.listen = "0.0.0.0:1", .cert_file = "c", .key_file = "k", .client_ca_file = "a"};
  EXPECT_TRUE(Check(tls).ok());
  tls.client_ca_file.clear();
  EXPECT_THAT(std::string(Check(tls).message()), HasSubstr("all three, or none"));
  tls = {.cert_file = "c", .key_file = "k", .client_ca_file = "a"};
  EXPECT_THAT(std::string(Check(tls).message()), HasSubstr("set web.listen"));
}

}  // namespace
}  // namespace evenkeel::web
