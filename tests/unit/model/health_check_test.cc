// SPDX-License-Identifier: Apache-2.0
//
// What a health check may say: read, judged, written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "absl/strings/str_cat.h"
#include "control/model/certificates.h"
#include "control/model/escaped_bytes.h"
#include "control/model/validate_health.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kPem[] = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n";

ParseResult Read(const std::string& check, const ListReader& files = nullptr) {
  return ParseYaml(
      absl::StrCat("vips: []\npools:\n- {name: a, backends: [], health_check: {", check, "}}\n"),
      "f", files);
}

HealthCheck Good(const std::string& check, const ListReader& files = nullptr) {
  const ParseResult result = Read(check, files);
  EXPECT_TRUE(result.ok()) << check << ": " << result.diagnostics[0].ToString();
  // Written and read again, it is the same.
  const ParseResult again = ParseYaml(ToYaml(result.config), "again");
  EXPECT_TRUE(again.ok()) << ToYaml(result.config) << again.diagnostics[0].ToString();
  EXPECT_EQ(again.config, result.config) << ToYaml(result.config);
  return *result.config.pools[0].health_check;
}

ListReader Files(std::map<std::string, std::string> texts) {
  return [texts = std::move(texts)](const std::string& name) -> absl::StatusOr<std::string> {
    const auto it = texts.find(name);
    if (it == texts.end()) return absl::NotFoundError(name + ": cannot be opened; check the path");
    return it->second;
  };
}

TEST(HealthCheckTest, ReadsHttpsWithEverything) {
  const HealthCheck check = Good(
      "type: https, host: 'shop.example.com:8443', method: GET, status: [200-299, 304], "
      "body: \"all is 'well'\", tls: {verify: true, ca_file: ca.pem, server_name: shop}",
      Files({{"ca.pem", absl::StrCat("Our CA\n", kPem, "and more\n", kPem)}}));
  EXPECT_EQ(check.host, "shop.example.com:8443");
  EXPECT_THAT(check.status, ElementsAre(StatusRange{200, 299}, StatusRange{304, 304}));
  EXPECT_EQ(check.body, "all is 'well'");
  ASSERT_TRUE(check.tls.has_value());
  EXPECT_TRUE(check.tls->verify);
  EXPECT_EQ(check.tls->ca, absl::StrCat(kPem, kPem)) << "and nothing else of the file";
  EXPECT_EQ(check.tls->server_name, "shop");
}

TEST(HealthCheckTest, ReadsTheOtherTypes) {
  EXPECT_THAT(Good("type: http, status: 204").status, ElementsAre(StatusRange{204, 204}));
  EXPECT_THAT(Good("type: http, status: \"200-204\"").status, ElementsAre(StatusRange{200, 204}));
  EXPECT_EQ(Good("type: http, method: HEAD").method, HealthCheck::Method::kHead);
  const HealthCheck grpc = Good("type: grpc, service: shop.v1.Cart, tls: {}");
  EXPECT_EQ(grpc.service, "shop.v1.Cart");
  EXPECT_EQ(grpc.tls, ProbeTls{});
  EXPECT_FALSE(Good("type: grpc").tls.has_value());
  EXPECT_EQ(Good("type: icmp").type, HealthCheck::Type::kIcmp);
  const HealthCheck udp =
      Good(R"(type: udp, send: 'a\x00\\\xff"\n', expect_start: '\x12\x34', expect: ok)");
  EXPECT_EQ(udp.send, "a\0\\\xff\"\n"s);
  EXPECT_EQ(udp.expect_start, "\x12\x34");
  EXPECT_EQ(udp.expect, "ok");
}

struct Case {
  const char* check;
  const char* field;  // below pools[0].health_check
  const char* says;
};

TEST(HealthCheckTest, SaysWhatIsWrong) {
  const Case kCases[] = {
      {"type: htpp", ".type", "did you mean \"http\""},
      {"type: tcp, host: a", ".type", "is tcp, and host is for http, https and grpc; remove host"},
      {"type: icmp, port: 7", ".type", "remove port"},
      {"type: http, tls: {}", ".type", "tls is for https and grpc"},
      {"type: http, send: x", ".type", "send is for udp"},
      {"type: grpc, path: /x", ".type", "path is for http and https"},
      {"type: udp, send: x, body: y", ".type", "body is for http and https"},
      {"type: udp", ".send", "is missing"},
      {"type: udp, send: ''", ".send", "is missing"},
      {"type: udp, send: '\\q'", ".send", "write \\xHH"},
      {"type: udp, send: '\\x1'", ".send", "write \\xHH"},
      {"type: udp, send: 'a\\'", ".send", "write \\xHH"},
      {R"(type: udp, send: "\x80")", ".send", "in single quotes"},
      {R"(type: udp, send: "\x01")", ".send", "in single quotes"},
      {"type: http, host: 'a b'", ".host", "name or an address"},
      {"type: http, host: 'fd00::1'", ".host", "IPv6 in brackets"},
      {"type: http, host: 'a:b'", ".host", "name or an address"},
      {"type: http, method: POST", ".method", "GET, HEAD"},
      {"type: http, method: HEAD, body: x", ".body", "write GET"},
      {"type: http, status: []", ".status", "is empty"},
      {"type: http, status: ok", ".status", "code such as 204"},
      {"type: http, status: {}", ".status", "write a list"},
      {"type: http, status: [200, 2xx]", ".status[1]", "code such as 204"},
      {"type: http, status: [2000]", ".status[0]", "code such as 204"},
      {"type: http, status: 299-200", ".status", "the lower one first"},
      {"type: http, status: [100]", ".status", "from 200 to 599"},
      {"type: http, status: [200-600]", ".status", "from 200 to 599"},
      {"type: https, tls: {verify: true}", ".tls", "add ca_file"},
      {"type: https, tls: {verify: yes}", ".tls.verify", "true or false"},
      {"type: https, tls: {server_name: 'a b'}", ".tls.server_name", "the certificate is for"},
      {"type: https, tls: {ca: x, verify: true}", ".tls.ca", "has no certificate"},
      {"type: https, tls: {ca_file: none.pem, verify: true}", ".tls.ca_file", "check the path"},
      {"type: https, tls: {ca_file: empty, verify: true}", ".tls.ca_file", "has no certificate"},
      {"type: https, tls: {ca_file: key, verify: true}", ".tls.ca_file", "has a private key"},
      {"type: https, tls: {ca_file: cut, verify: true}", ".tls.ca_file",
       "number 2, that is broken"},
      {"type: https, tls: {ca_file: junk, verify: true}", ".tls.ca_file",
       "number 1, that is broken"},
      {"type: https, tls: {ca_file: big, verify: true}", ".tls.ca_file", "more than 32768 bytes"},
      {"type: https, tls: {ca_file: good}", ".tls.ca", "only counts with verify: true"},
      {"type: https, tls: {ca_file: good, ca: x, verify: true}", ".tls.ca", "remove one"},
  };
  std::string big;
  while (big.size() <= kMaxCaBytes) big += kPem;
  const ListReader files = Files({
      {"good", kPem},
      {"empty", "nothing\n"},
      {"key", absl::StrCat(kPem, "-----BEGIN EC PRIVATE KEY-----\nMAAA\n")},
      {"cut", absl::StrCat(kPem, "-----BEGIN CERTIFICATE-----\nMAAA\n")},
      {"junk", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"},
      {"big", big},
  });
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.check);
    const ParseResult result = Read(c.check, files);
    ASSERT_THAT(result.diagnostics, SizeIs(1));
    EXPECT_EQ(result.diagnostics[0].field, absl::StrCat("pools[0].health_check", c.field));
    EXPECT_THAT(result.diagnostics[0].message, HasSubstr(c.says));
  }
}

TEST(HealthCheckTest, OpensNoFileWhereNoneIsRead) {
  const ParseResult result = Read("type: https, tls: {ca_file: /etc/shadow, verify: true}");
  ASSERT_THAT(result.diagnostics, SizeIs(1));
  EXPECT_THAT(result.diagnostics[0].message, HasSubstr("not read here; write it out as ca"));
}

// Also over the API, where nobody reads YAML.
TEST(HealthCheckTest, ValidatesWhatNoYamlHasSaid) {
  const std::pair<std::function<void(HealthCheck&)>, const char*> kCases[] = {
      {[](HealthCheck& c) { c.tls = ProbeTls{.verify = true, .ca = "x"}; }, "check.tls.ca"},
      {[](HealthCheck& c) {
         c.status.assign(33, {200, 200});
       },
       "check.status"},
      {[](HealthCheck& c) {
         c.status = {{65535, 65535}};
       },
       "check.status"},
      {[](HealthCheck& c) { c.body = std::string(1025, 'x'); }, "check.body"},
      {[](HealthCheck& c) { c.host = "a\r\nX: y"; }, "check.host"},
      {[](HealthCheck& c) { c.host = std::string(254, 'a'); }, "check.host"},
      {[](HealthCheck& c) {
         c.type = HealthCheck::Type::kUdp;
         c.send = std::string(1025, 'x');
       },
       "check.send"},
  };
  for (const auto& [spoil, field] : kCases) {
    HealthCheck check;
    check.type = HealthCheck::Type::kHttps;
    spoil(check);
    std::vector<Diagnostic> found;
    CheckHealthCheck(check, "check", found);
    ASSERT_THAT(found, SizeIs(1)) << field;
    EXPECT_EQ(found[0].field, field);
  }
}

TEST(HealthCheckTest, ReadsWhereProbesGoAndWhatTheNetworkSays) {
  const HealthCheck plain = Good("type: tcp");
  EXPECT_EQ(plain.through, HealthCheck::Through::kDirect);
  EXPECT_FALSE(plain.passive);
  const HealthCheck check = Good("type: tcp, through: vip, passive: {}");
  EXPECT_EQ(check.through, HealthCheck::Through::kVip);
  ASSERT_TRUE(check.passive);
  EXPECT_EQ(*check.passive, PassiveSignal{});
  EXPECT_EQ(*Good("type: tcp, passive: {min_share: 0.5, min_count: 12}").passive,
            (PassiveSignal{.min_share = 0.5, .min_count = 12}));
  for (const auto& [text, says] : std::map<std::string, std::string>{
           {"through: vips", "vip"},
           {"passive: {min_share: 0}", "write a fraction above 0, up to 1"},
           {"passive: {min_share: 1.5}", "write a fraction above 0, up to 1"},
           {"passive: {min_share: .nan}", "min_share"},
           {"passive: {min_count: 0}", "write 1 to 1000000"},
           {"passive: {min_count: 1000001}", "write 1 to 1000000"},
           {"passive: {share: 1}", "share"}}) {
    const ParseResult result = Read("type: tcp, " + text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_THAT(result.diagnostics[0].ToString(), HasSubstr(says)) << text;
  }
  const ParseResult l2 = ParseYaml(
      "vips: []\npools:\n- {name: a, backends: [], forwarding: l2,"
      " health_check: {type: tcp, passive: {}}}\n",
      "f");
  ASSERT_THAT(l2.diagnostics, SizeIs(1));
  EXPECT_THAT(l2.diagnostics[0].ToString(), HasSubstr("l2 does not encapsulate; remove it"));
}

TEST(EscapedBytesTest, EveryByteComesBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string text = ToEscaped(all);
  EXPECT_THAT(text, ::testing::Each(::testing::AllOf(::testing::Ge(' '), ::testing::Le('~'),
                                                     ::testing::Ne('\''), ::testing::Ne('"'))));
  EXPECT_EQ(*ParseEscaped(text), all);
  EXPECT_EQ(*ParseEscaped("\\x4A\\x4a\\r\\t"), "JJ\r\t");
}

}  // namespace
}  // namespace evenkeel::model
