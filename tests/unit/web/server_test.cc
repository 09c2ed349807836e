// SPDX-License-Identifier: Apache-2.0
//
// The server over real sockets, asked by libcurl.
#include "control/web/server.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/probe/certificates.h"
#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::web {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Answer {
  CURLcode result = CURLE_OK;
  long status = 0;
  std::string head, body;
};

struct Ask {
  std::string url;
  std::string socket{};  // Unix
  std::string method = "GET";
  std::string host{};  // header
  std::string ca{}, cert{}, key{};
};

size_t Append(char* data, size_t size, size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

Answer Get(const Ask& ask) {
  Answer answer;
  CURL* curl = ::curl_easy_init();
  ::curl_easy_setopt(curl, CURLOPT_URL, ask.url.c_str());
  ::curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  ::curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  ::curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Append);
  ::curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.head);
  if (!ask.socket.empty()) {
    ::curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, ask.socket.c_str());
  }
  if (ask.method == "HEAD") ::curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask.method.c_str());
  if (!ask.ca.empty()) ::curl_easy_setopt(curl, CURLOPT_CAINFO, ask.ca.c_str());
  if (!ask.cert.empty()) {
    ::curl_easy_setopt(curl, CURLOPT_SSLCERT, ask.cert.c_str());
    ::curl_easy_setopt(curl, CURLOPT_SSLKEY, ask.key.c_str());
  }
  curl_slist* headers = nullptr;
  if (!ask.host.empty()) headers = ::curl_slist_append(headers, ("Host: " + ask.host).c_str());
  ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  answer.result = ::curl_easy_perform(curl);
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  ::curl_slist_free_all(headers);
  ::curl_easy_cleanup(curl);
  return answer;
}

class WebServerTest : public daemon::TempDir {
 protected:
  static Pages OnePage(const std::string& text) {
    return {{"/page", [text](const Request& request) {
               const auto name = request.query.find("name");
               return Response{.body = text + (name == request.query.end() ? "" : name->second)};
             }}};
  }
  void Start(const Options& options) {
    auto server = Server::Listen(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Serve(OnePage("socket"), OnePage("tcp"));
  }
  std::string Url(const std::string& path) const {
    return absl::StrCat("http://127.0.0.1:", server_->port(), path);
  }
  std::string Socket() const { return dir_ + "/web.sock"; }

  std::unique_ptr<Server> server_;
};

TEST_F(WebServerTest, ServesBothWays) {
  Start({.socket = Socket(), .listen = "127.0.0.1:0"});
  const Answer local = Get({.url = "http://any/page", .socket = Socket()});
  EXPECT_EQ(local.status, 200);
  EXPECT_EQ(local.body, "socket");
  const Answer tcp = Get({.url = Url("/page?name=a%20b&name=c")});
  EXPECT_EQ(tcp.status, 200);
  EXPECT_EQ(tcp.body, "tcpa b");
  EXPECT_THAT(tcp.head, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(tcp.head, HasSubstr("X-Content-Type-Options: nosniff"));
  struct stat info {};
  ASSERT_EQ(::stat(Socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  server_.reset();
  EXPECT_NE(::stat(Socket().c_str(), &info), 0) << "it goes with the server";
}

TEST_F(WebServerTest, OnlyReads) {
  Start({.listen = "127.0.0.1:0"});
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const Answer answer = Get({.url = Url("/page"), .method = method});
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_THAT(answer.head, HasSubstr("Allow: GET, HEAD"));
  }
  const Answer head = Get({.url = Url("/page"), .method = "HEAD"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  const Answer missing = Get({.url = Url("/pages")});
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("/page"));
}

// DNS rebinding: a name of somebody else's that leads to this host.
TEST_F(WebServerTest, AnswersToItsOwnNameAlone) {
  Start({.socket = Socket(), .listen = "127.0.0.1:0"});
  for (const char* host :
       {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "[2001:db8::1]:80"}) {
    const Answer answer = Get({.url = Url("/page"), .host = host});
    EXPECT_EQ(answer.status, 403) << host;
    EXPECT_THAT(answer.body, Not(HasSubstr("tcp")));
  }
  for (const char* host : {"localhost", "LOCALHOST:9", "127.0.0.1", "[::1]:80"}) {
    EXPECT_EQ(Get({.url = Url("/page"), .host = host}).status, 200) << host;
  }
  EXPECT_EQ(Get({.url = "http://x/page", .socket = Socket(), .host = "evil.example"}).status, 200)
      << "no browser gets there";
}

TEST_F(WebServerTest, APageThatFailsIsAnError) {
  auto server = Server::Listen({.listen = "127.0.0.1:0"});
  ASSERT_TRUE(server.ok());
  server_ = *std::move(server);
  server_->Serve(
      {},
      {{"/page", [](const Request&) -> Response { throw std::runtime_error("secret detail"); }}});
  const Answer answer = Get({.url = Url("/page")});
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
}

TEST_F(WebServerTest, TakesNobodysPlace) {
  Start({.socket = Socket(), .listen = "127.0.0.1:0"});
  const auto same_socket = Server::Listen({.socket = Socket()});
  EXPECT_THAT(std::string(same_socket.status().message()), HasSubstr("another process listens"));
  const auto same_port = Server::Listen({.listen = absl::StrCat("127.0.0.1:", server_->port())});
  EXPECT_THAT(std::string(same_port.status().message()), HasSubstr("cannot be taken"));
  const std::string file = Write("file", "text");
  const auto a_file = Server::Listen({.socket = file});
  EXPECT_THAT(std::string(a_file.status().message()), HasSubstr("is no socket"));
  EXPECT_EQ(Get({.url = "http://x/page", .socket = Socket()}).status, 200) << "it goes on";
}

TEST_F(WebServerTest, ASocketThatNobodyListensOnIsReplaced) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Socket().copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  Start({.socket = Socket()});
  EXPECT_EQ(Get({.url = "http://x/page", .socket = Socket()}).status, 200);
}

// More clients than threads, some of which send nothing or half a request: the others get answers.
TEST_F(WebServerTest, ClientsThatDawdleDoNotStopItForLong) {
  Start({.socket = Socket()});
  std::vector<int> idle;
  for (int i = 0; i < 12; ++i) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    Socket().copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const std::string half = "GET /page HTT";
    ASSERT_EQ(::send(fd, half.data(), half.size(), 0), static_cast<ssize_t>(half.size()));
    idle.push_back(fd);
  }
  // Eight at a time, each for the two seconds of the time limit at most.
  Answer answer;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (answer.status != 200 && std::chrono::steady_clock::now() < until) {
    answer = Get({.url = "http://x/page", .socket = Socket()});
  }
  EXPECT_EQ(answer.status, 200);
  // Nor do they keep it from ending.
  const auto ended = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - ended, std::chrono::seconds(10));
  for (const int fd : idle) ::close(fd);
}

class WebTlsTest : public WebServerTest {
 protected:
  void SetUp() override {
    WebServerTest::SetUp();
    const testing::Identity server = ca_.Issue("IP:127.0.0.1");
    options_ = {.listen = "127.0.0.1:0",
                .cert_file = Private("server.pem", server.certificate),
                .key_file = Private("server.key", server.key),
                .client_ca_file = Private("ca.pem", ca_.certificate())};
  }
  std::string Private(const std::string& name, const std::string& text) {
    const std::string path = Write(name, text);
    ::chmod(path.c_str(), 0600);
    return path;
  }
  Ask WithCertificate(const testing::Identity& identity) {
    return {.url = absl::StrCat("https://127.0.0.1:", server_->port(), "/page"),
            .ca = options_.client_ca_file,
            .cert = Private("client.pem", identity.certificate),
            .key = Private("client.key", identity.key)};
  }

  testing::TestCa ca_;
  Options options_;
};

TEST_F(WebTlsTest, OnlyWhoHasACertificateOfTheAuthority) {
  Start(options_);
  const Answer good = Get(WithCertificate(ca_.Issue("DNS:prometheus")));
  EXPECT_EQ(good.result, CURLE_OK);
  EXPECT_EQ(good.body, "tcp");
  Ask none = WithCertificate(ca_.Issue("DNS:prometheus"));
  none.cert = none.key = "";
  EXPECT_NE(Get(none).result, CURLE_OK);
  EXPECT_NE(Get(WithCertificate(testing::ExpiredStranger())).result, CURLE_OK);
  constexpr long kWeek = 7 * 86400;
  EXPECT_NE(Get(WithCertificate(ca_.Issue("DNS:old", -kWeek))).result, CURLE_OK);
  const testing::TestCa other;
  EXPECT_NE(Get(WithCertificate(other.Issue("DNS:prometheus"))).result, CURLE_OK);
  EXPECT_NE(Get({.url = Url("/page")}).status, 200) << "no plain HTTP beside it";
}

TEST_F(WebTlsTest, NamesTheFileThatIsWrong) {
  const testing::Identity other = ca_.Issue("IP:127.0.0.1");
  struct Case {
    std::string Options::*file;
    std::string value;
    const char* what;
  };
  for (const Case& c : {Case{&Options::cert_file, dir_ + "/none", "web.cert_file"},
                        Case{&Options::cert_file, Private("bad.pem", "text"), "web.cert_file"},
                        Case{&Options::key_file, Private("other.key", other.key), "web.key_file"},
                        Case{&Options::key_file, dir_ + "/none", "web.key_file"},
                        Case{&Options::client_ca_file, dir_ + "/none", "web.client_ca_file"}}) {
    Options options = options_;
    options.*c.file = c.value;
    const auto server = Server::Listen(options);
    ASSERT_FALSE(server.ok()) << c.what;
    EXPECT_THAT(std::string(server.status().message()), HasSubstr(c.what));
    EXPECT_THAT(std::string(server.status().message()), HasSubstr(c.value));
  }
  ::chmod(options_.key_file.c_str(), 0644);
  const auto open_key = Server::Listen(options_);
  EXPECT_THAT(std::string(open_key.status().message()), HasSubstr("chmod 0600"));
}

}  // namespace
}  // namespace evenkeel::web
