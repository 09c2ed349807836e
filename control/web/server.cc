// SPDX-License-Identifier: Apache-2.0
#include "control/web/server.h"

#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::web {
namespace {

constexpr size_t kThreads = 8;
// Accepted, and waiting for a thread; more wait in the kernel.
constexpr std::ptrdiff_t kMaxWaiting = 32;
constexpr std::chrono::seconds kTimeout{2};
// A connection that stays open would keep a thread.
constexpr size_t kRequestsOfAConnection = 1;
constexpr size_t kMaxBody = 4096;  // nobody has to send one
constexpr mode_t kSocketMode = 0660;
// RFC 9110, 15
constexpr int kForbidden = 403, kNotFound = 404, kMethodNotAllowed = 405, kInternalError = 500;

// What a page may load and do: nothing but its own host's. CSP Level 3; framing by nobody.
const httplib::Headers& SafeHeaders() {
  static const httplib::Headers headers = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
       "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cache-Control", "no-store"}};
  return headers;
}

// "[::1]:9469" -> "::1"
std::string HostOf(std::string_view header) {
  if (!header.empty() && header.front() == '[') {
    const size_t end = header.find(']');
    return std::string(header.substr(1, end == std::string_view::npos ? end : end - 1));
  }
  return absl::AsciiStrToLower(std::string(header.substr(0, header.find(':'))));
}

// A page of another site whose name leads to this host (DNS rebinding) must not read ours: a
// browser sends the name that it was given.
bool IsOurs(const Endpoint& endpoint, const std::string& header) {
  const std::string host = HostOf(header);
  return host == endpoint.host || host == "localhost" || host == "127.0.0.1" || host == "::1";
}

Request ToRequest(const httplib::Request& from) {
  Request request;
  request.path = from.path;
  for (const auto& [key, value] : from.params) request.query.emplace(key, value);
  return request;
}

void SetText(httplib::Response* to, int status, const std::string& text) {
  to->status = status;
  to->set_content(text + "\n", "text/plain; charset=utf-8");
}

void Answer(const Pages& pages, const httplib::Request& request, httplib::Response* to) {
  const auto page = pages.find(request.path);
  if (page == pages.end()) {
    std::string text = "there is no such page here; there are:";
    for (const auto& [path, handler] : pages) absl::StrAppend(&text, " ", path);
    return SetText(to, kNotFound, text);
  }
  const Response response = page->second(ToRequest(request));
  to->status = response.status;
  to->set_content(response.body, response.type);
}

// However many connect, they do not take the daemon's descriptors.
class BoundedQueue final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    places_.acquire();
    pool_.enqueue([this, task = std::move(task)] {
      places_.release();
      task();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::counting_semaphore<kMaxWaiting> places_{kMaxWaiting};
  httplib::ThreadPool pool_{kThreads};
};

// `endpoint`: of TCP without TLS; null elsewhere, where a browser does not get, or only with a
// certificate.
void SetUp(httplib::Server* server, Pages pages, const Endpoint* endpoint) {
  server->new_task_queue = [] { return new BoundedQueue; };
  server->set_read_timeout(kTimeout).set_write_timeout(kTimeout);
  server->set_keep_alive_timeout(kTimeout.count());
  server->set_keep_alive_max_count(kRequestsOfAConnection);
  server->set_payload_max_length(kMaxBody);
  server->set_tcp_nodelay(true);
  server->set_default_headers(SafeHeaders());
  server->set_exception_handler([](const httplib::Request& request, httplib::Response& response,
                                   const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      spdlog::error("web page {}: {}", request.path, error.what());
    } catch (...) {
      spdlog::error("web page {} failed", request.path);
    }
    SetText(&response, kInternalError, "this page failed; the log says why");
  });
  std::optional<Endpoint> own;
  if (endpoint != nullptr) own = *endpoint;
  server->set_pre_routing_handler([pages = std::move(pages), own](const httplib::Request& request,
                                                                  httplib::Response& response) {
    if (request.method != "GET" && request.method != "HEAD") {
      SetText(&response, kMethodNotAllowed, "pages are only read: GET or HEAD");
      response.set_header("Allow", "GET, HEAD");
    } else if (own && !IsOurs(*own, request.get_header_value("Host"))) {
      SetText(&response, kForbidden,
              absl::StrCat("ask for http://", own->host, ":", own->port,
                           "/: the name in the "
                           "Host header is not this host's"));
    } else {
      Answer(pages, request, &response);
    }
    return httplib::Server::HandlerResponse::Handled;
  });
}

std::string TlsError() {
  std::string text;
  while (const unsigned long code = ::ERR_get_error()) {
    std::array<char, 256> buffer{};
    ::ERR_error_string_n(code, buffer.data(), buffer.size());
    absl::StrAppend(&text, text.empty() ? "" : "; ", buffer.data());
  }
  return text;
}

absl::Status CheckKeyFile(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("web.key_file ", path));
  }
  if ((info.st_mode & S_IRWXO) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("web.key_file ", path, " is open to everybody: chmod 0600 ", path));
}

// Each failure names the file.
bool LoadTls(const Options& options, SSL_CTX* context, std::string* problem) {
  const auto failed = [problem](std::string_view key, const std::string& path) {
    *problem = absl::StrCat(std::string(key), " ", path, " cannot be used: ", TlsError());
    return false;
  };
  ::ERR_clear_error();
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (::SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
    return failed("web.cert_file", options.cert_file);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(context) != 1) {
    return failed("web.key_file", options.key_file);
  }
  if (::SSL_CTX_load_verify_locations(context, options.client_ca_file.c_str(), nullptr) != 1) {
    return failed("web.client_ca_file", options.client_ca_file);
  }
  ::SSL_CTX_set_client_CA_list(context, ::SSL_load_client_CA_file(options.client_ca_file.c_str()));
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // Sessions are not resumed, so that each connection shows its certificate.
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  return true;
}

absl::StatusOr<std::unique_ptr<httplib::Server>> MakeTcpServer(const Options& options) {
  if (options.cert_file.empty()) return std::make_unique<httplib::Server>();
  if (auto status = CheckKeyFile(options.key_file); !status.ok()) return status;
  std::string problem;
  auto server = std::make_unique<httplib::SSLServer>(
      [&](SSL_CTX& context) { return LoadTls(options, &context, &problem); });
  if (!server->is_valid()) {
    return absl::FailedPreconditionError(problem.empty() ? "TLS cannot be set up" : problem);
  }
  return server;
}

bool SomebodyListens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool answered =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return answered;
}

// Bound under another name and renamed once it has its mode: at no moment can somebody connect who
// must not, and a file that nobody listens on is replaced.
absl::Status BindSocket(httplib::Server* server, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat(path,
                       " exists and is no socket; it was left as it is, name another one: "
                       "web.socket"));
    }
    if (SomebodyListens(path)) {
      return absl::AlreadyExistsError(absl::StrCat("another process listens on ", path,
                                                   "; stop it, or name another one: web.socket"));
    }
  }
  const std::string temporary = absl::StrCat(path, ".", ::getpid());
  if (temporary.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "socket path ", path, " is too long for a Unix socket; name a shorter one: web.socket"));
  }
  ::unlink(temporary.c_str());
  server->set_address_family(AF_UNIX);
  constexpr int kAnyPort = 80;  // of no meaning here, but it must be one
  if (!server->bind_to_port(temporary, kAnyPort)) {
    return absl::ErrnoToStatus(errno, absl::StrCat("web.socket ", path, " cannot be made"));
  }
  if (::chmod(temporary.c_str(), kSocketMode) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return absl::ErrnoToStatus(error, absl::StrCat("web.socket ", path, " cannot be made"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> BindTcp(httplib::Server* server, const Endpoint& endpoint) {
  // Not SO_REUSEPORT, the library's choice: two daemons would share the requests.
  server->set_socket_options([](socket_t fd) {
    const int one = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  });
  errno = 0;
  const int port = endpoint.port == 0 ? server->bind_to_any_port(endpoint.host)
                   : server->bind_to_port(endpoint.host, endpoint.port) ? endpoint.port
                                                                        : -1;
  if (port >= 0) return static_cast<uint16_t>(port);
  return absl::ErrnoToStatus(errno == 0 ? EADDRNOTAVAIL : errno,
                             absl::StrCat("web.listen ", endpoint.host, ":", endpoint.port,
                                          " cannot be taken; is another process there?"));
}

}  // namespace

struct Server::Impl {
  std::string path;  // of the socket
  Endpoint endpoint;
  bool tls = false;
  uint16_t port = 0;
  std::unique_ptr<httplib::Server> socket, tcp;
  std::vector<std::thread> threads;

  void Start(httplib::Server* server, const std::string& where) {
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    threads.emplace_back([server, where, ended] {
      // False where it was not told to.
      if (!server->listen_after_bind()) {
        spdlog::error("nobody is served at {} any more: {}; restart evenkeeld, packets go on",
                      where, std::strerror(errno));
      }
      *ended = true;
    });
    // Stop has an effect only on a server that runs.
    while (!server->is_running() && !*ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { Stop(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(const Options& options) {
  if (auto status = Check(options); !status.ok()) return status;
  auto impl = std::make_unique<Impl>();
  if (!options.listen.empty()) {
    impl->endpoint = *ParseEndpoint(options.listen);
    impl->tls = !options.cert_file.empty();
    auto tcp = MakeTcpServer(options);
    if (!tcp.ok()) return tcp.status();
    impl->tcp = *std::move(tcp);
    const absl::StatusOr<uint16_t> port = BindTcp(impl->tcp.get(), impl->endpoint);
    if (!port.ok()) return port.status();
    impl->port = *port;
  }
  if (!options.socket.empty()) {
    impl->socket = std::make_unique<httplib::Server>();
    if (auto status = BindSocket(impl->socket.get(), options.socket); !status.ok()) return status;
    impl->path = options.socket;
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::Serve(Pages socket, Pages tcp) {
  if (impl_->socket != nullptr) {
    SetUp(impl_->socket.get(), std::move(socket), nullptr);
    impl_->Start(impl_->socket.get(), impl_->path);
  }
  if (impl_->tcp != nullptr) {
    SetUp(impl_->tcp.get(), std::move(tcp), impl_->tls ? nullptr : &impl_->endpoint);
    impl_->Start(impl_->tcp.get(), absl::StrCat(impl_->endpoint.host, ":", impl_->port));
  }
}

void Server::Stop() {
  if (impl_->socket != nullptr) impl_->socket->stop();
  if (impl_->tcp != nullptr) impl_->tcp->stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  if (!impl_->path.empty()) ::unlink(impl_->path.c_str());
  impl_->path.clear();
}

uint16_t Server::port() const { return impl_->port; }

}  // namespace evenkeel::web
