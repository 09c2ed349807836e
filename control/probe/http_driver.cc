// SPDX-License-Identifier: Apache-2.0
#include "control/probe/http_driver.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/model/validate_health.h"
#include "control/probe/body_search.h"
#include "control/probe/grpc_health.h"
#include "control/probe/socket.h"

namespace evenkeel::probe {

// One probe, from Start() to its end.
struct HttpDriver::Transfer {
  HttpDriver* driver = nullptr;
  TargetId id = 0;
  const Target* target = nullptr;
  bool grpc = false;
  bool tls = false;
  Easy easy;
  List connect_to;
  List headers;         // empty: the driver's
  std::string request;  // gRPC: the body
  BodySearch body;
  GrpcHealthAnswer answer;
  char error[CURL_ERROR_SIZE] = {};
  int socket_errno = 0;  // why no socket could be had
  int fd = -1;           // libcurl's, which closes it
  size_t header_bytes = 0;
  size_t body_bytes = 0;
};

namespace {

// The runner ends probes in time; libcurl's own limit must not come first (the longest is 1h).
constexpr long kNeverMs = 24 * 3600 * 1000;
constexpr model::StatusRange kHealthyStatus{200, 399};  // where the check does not say

std::string InUrl(const model::IpAddress& address) {
  return address.is_ipv6() ? absl::StrCat("[", address.ToString(), "]") : address.ToString();
}

// In URL, TLS hello and certificate.
std::string ServerName(const Target& target) {
  const model::HealthCheck& check = target.check;
  if (check.tls && !check.tls->server_name.empty()) {
    const auto address = model::IpAddress::Parse(check.tls->server_name);
    return address.ok() ? InUrl(*address) : check.tls->server_name;
  }
  return std::string(model::HostWithoutPort(check.host));
}

bool IsHealthyStatus(const model::HealthCheck& check, long status) {
  const auto has = [status](const model::StatusRange& range) {
    return status >= range.first && status <= range.last;
  };
  if (check.status.empty()) return has(kHealthyStatus);
  return std::any_of(check.status.begin(), check.status.end(), has);
}

std::string_view WithoutPrefix(std::string_view text, std::string_view prefix) {
  return text.substr(text.starts_with(prefix) ? prefix.size() : 0);
}

std::string SizeText(size_t bytes) {
  return bytes % 1024 == 0 ? absl::StrCat(bytes / 1024, " KiB") : absl::StrCat(bytes, " bytes");
}

// libcurl says so only after TLS.
bool IsConnected(int fd) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  return fd >= 0 && ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
}

bool IsTlsDone(CURL* easy) {
  curl_off_t micros = 0;
  return curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &micros) == CURLE_OK && micros > 0;
}

uint32_t ToEpoll(int what) {
  return ((what & CURL_POLL_IN) ? EPOLLIN : 0u) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0u);
}

}  // namespace

HttpDriver::HttpDriver(Loop& loop, Limits limits, SocketCount& open_sockets, OnEnd on_end)
    : loop_(loop), limits_(limits), open_sockets_(open_sockets), on_end_(std::move(on_end)) {}

absl::StatusOr<std::unique_ptr<HttpDriver>> HttpDriver::Create(Loop& loop, Limits limits,
                                                               SocketCount& open_sockets,
                                                               OnEnd on_end) {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global != CURLE_OK) {
    return absl::InternalError(absl::StrCat("prober: libcurl: ", curl_easy_strerror(global)));
  }
  std::unique_ptr<HttpDriver> driver(new HttpDriver(loop, limits, open_sockets, std::move(on_end)));
  driver->headers_.reset(curl_slist_append(nullptr, "Connection: close"));
  driver->multi_.reset(curl_multi_init());
  CURLM* multi = driver->multi_.get();
  if (multi == nullptr || driver->headers_ == nullptr ||
      curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &OnSocket) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, driver.get()) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &OnTimer) != CURLM_OK ||
      curl_multi_setopt(multi, CURLMOPT_TIMERDATA, driver.get()) != CURLM_OK) {
    return absl::ResourceExhaustedError("prober: libcurl's multi handle cannot be made");
  }
  return driver;
}

HttpDriver::~HttpDriver() {
  while (!transfers_.empty()) Abort(transfers_.begin()->first);
}

// Appends to a list; false without memory.
bool HttpDriver::Append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  list.release();
  list.reset(longer);
  return true;
}

// What is asked.
bool HttpDriver::ConfigureRequest(Transfer& transfer, const std::string& name) {
  const Target& target = *transfer.target;
  const std::string address = InUrl(target.destination());
  CURL* easy = transfer.easy.get();
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK;
  };
  const auto header = [&](const std::string& line) { ok = ok && Append(transfer.headers, line); };
  if (!target.check.host.empty()) {
    header(absl::StrCat("Host: ", target.check.host));
  } else if (name != address) {
    header(absl::StrCat("Host: ", address, ":", target.port));
  }
  if (transfer.grpc) {
    transfer.request = GrpcHealthRequest(target.check.service);
    header("Content-Type: application/grpc");
    header("TE: trailers");
    header(absl::StrCat("grpc-timeout: ", target.check.timeout.count(), "m"));
    header("Expect:");  // none
    set(CURLOPT_REQUEST_TARGET, kGrpcHealthPath);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, transfer.request.data());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer.request.size()));
    set(CURLOPT_HTTP_VERSION,
        static_cast<long>(transfer.tls ? CURL_HTTP_VERSION_2TLS
                                       : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
  } else {
    if (transfer.headers != nullptr) header("Connection: close");
    set(CURLOPT_REQUEST_TARGET, target.check.path.c_str());  // verbatim
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    if (target.check.method == model::HealthCheck::Method::kHead) set(CURLOPT_NOBODY, 1L);
  }
  set(CURLOPT_HTTPHEADER, transfer.headers ? transfer.headers.get() : headers_.get());
  return ok;
}

bool HttpDriver::ConfigureTls(const Transfer& transfer) {
  CURL* easy = transfer.easy.get();
  const auto& tls = transfer.target->check.tls;
  const bool verify = tls && tls->verify;
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK;
  };
  set(CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
  set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  // libcurl would read the system's certificates for each connection all the same.
  set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  if (verify) {
    curl_blob ca{.data = const_cast<char*>(tls->ca.data()),  // which is not written to
                 .len = tls->ca.size(),
                 .flags = CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO_BLOB, &ca);
  }
  return ok;
}

bool HttpDriver::Configure(Transfer& transfer) {
  const Target& target = *transfer.target;
  CURL* easy = transfer.easy.get();
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK;
  };
  // The URL names the host; the connection goes to the address, so nothing is looked up.
  const std::string address = InUrl(target.destination());
  std::string name = ServerName(target);
  if (name.empty()) name = address;
  const std::string scheme = transfer.tls ? "https" : "http";
  ok = Append(transfer.connect_to, absl::StrCat("::", address, ":", target.port));
  set(CURLOPT_URL, absl::StrCat(scheme, "://", name, ":", target.port, "/").c_str());
  set(CURLOPT_CONNECT_TO, transfer.connect_to.get());
  set(CURLOPT_PROTOCOLS_STR, scheme.c_str());
  set(CURLOPT_PROXY, "");  // nor that of the environment
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_USERAGENT, "evenkeel/" EK_VERSION);
  set(CURLOPT_DNS_CACHE_TIMEOUT, 0L);  // each lookup walks through the whole cache
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, kNeverMs);
  set(CURLOPT_ERRORBUFFER, &transfer.error[0]);
  set(CURLOPT_PRIVATE, &transfer);
  set(CURLOPT_OPENSOCKETFUNCTION, &OnOpen);
  set(CURLOPT_OPENSOCKETDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &OnHeader);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &OnBody);
  set(CURLOPT_WRITEDATA, &transfer);
  return ok && ConfigureRequest(transfer, name) && ConfigureTls(transfer);
}

void HttpDriver::Start(TargetId id, const Target& target) {
  auto transfer = std::make_unique<Transfer>();
  transfer->driver = this;
  transfer->id = id;
  transfer->target = &target;
  transfer->grpc = target.check.type == model::HealthCheck::Type::kGrpc;
  transfer->tls = target.check.type == model::HealthCheck::Type::kHttps ||
                  (transfer->grpc && target.check.tls.has_value());
  transfer->body.Start(target.check.body);
  if (idle_.empty()) {
    transfer->easy.reset(curl_easy_init());
  } else {
    transfer->easy = std::move(idle_.back());
    idle_.pop_back();
  }
  if (transfer->easy == nullptr || !Configure(*transfer) ||
      curl_multi_add_handle(multi_.get(), transfer->easy.get()) != CURLM_OK) {
    return on_end_(id, OutcomeOfErrno(ENOMEM));
  }
  transfers_[id] = std::move(transfer);
}

void HttpDriver::Remove(TargetId id) {
  const auto it = transfers_.find(id);
  Transfer& transfer = *it->second;
  curl_multi_remove_handle(multi_.get(), transfer.easy.get());
  // libcurl 7.88 calls no CURLOPT_CLOSESOCKETFUNCTION for a socket that was connecting: the
  // socket's end is the transfer's.
  if (transfer.fd >= 0) --open_sockets_;
  curl_easy_reset(transfer.easy.get());
  idle_.push_back(std::move(transfer.easy));
  transfers_.erase(it);
}

void HttpDriver::Abort(TargetId id) {
  // libcurl 7.88 closes a socket that is connecting before it says so.
  if (const int fd = transfers_.at(id)->fd; fd >= 0) loop_.Unwatch(fd);
  Remove(id);
}

std::string HttpDriver::Cancel(TargetId id) {
  const auto it = transfers_.find(id);
  if (it == transfers_.end()) return "no answer";
  const Transfer& transfer = *it->second;
  const char* protocol = transfer.grpc ? "gRPC" : "HTTP";
  std::string waited_for = "no answer";
  if (transfer.body_bytes > 0 || transfer.header_bytes > 0) {
    waited_for = absl::StrCat(protocol, " answer not complete");
  } else if (IsConnected(transfer.fd)) {
    const bool hello = !transfer.tls || IsTlsDone(transfer.easy.get());
    waited_for = absl::StrCat("connected, but no ", hello ? protocol : "TLS", " answer");
  }
  Abort(id);
  return waited_for;
}

void HttpDriver::Work(Nanos now) {
  if (!next_work_ || *next_work_ > now) return;
  next_work_.reset();
  int running = 0;
  curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
  TakeEnded();
}

void HttpDriver::OnEvents(int fd, uint32_t events) {
  const int action = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                     ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                     ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, action, &running);
  TakeEnded();
}

void HttpDriver::TakeEnded() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* data = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
    const auto& transfer = *reinterpret_cast<const Transfer*>(data);
    const TargetId id = transfer.id;
    Outcome outcome = Judge(transfer, message->data.result);
    Remove(id);
    on_end_(id, std::move(outcome));
  }
}

Outcome HttpDriver::Judge(const Transfer& transfer, CURLcode code) const {
  const auto bad = [](std::string cause) {
    return Outcome{.healthy = false, .own_fault = false, .cause = PlainText(cause)};
  };
  if (transfer.socket_errno != 0) return OutcomeOfErrno(transfer.socket_errno);
  if (transfer.header_bytes > limits_.header_bytes) {
    return bad(absl::StrCat("HTTP header has more than ", SizeText(limits_.header_bytes)));
  }
  if (transfer.body_bytes > limits_.body_bytes) {
    return bad(absl::StrCat("body has more than ", SizeText(limits_.body_bytes)));
  }
  long os_error = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_OS_ERRNO, &os_error);
  const char* details = transfer.error[0] ? transfer.error : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OK:
      return JudgeAnswer(transfer);
    case CURLE_COULDNT_CONNECT:
      if (os_error != 0) return OutcomeOfErrno(static_cast<int>(os_error));
      return bad(absl::StrCat("no connection: ", details));
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:  // also what a broken body is to libcurl
      if (absl::StrContains(details, " failure: ")) return bad("connection reset");
      return bad(absl::StrCat("HTTP: ", details));
    case CURLE_GOT_NOTHING:
      // libcurl says so as well of bytes that are not HTTP/2.
      return bad(transfer.grpc ? "connection closed without a gRPC answer"
                               : "connection closed without an answer");
    case CURLE_PARTIAL_FILE:
      return bad("connection closed within the body");
    case CURLE_SSL_CONNECT_ERROR:
      return bad(absl::StrCat("TLS handshake failed: ", details));
    case CURLE_PEER_FAILED_VERIFICATION:
      return bad(absl::StrCat("certificate not accepted: ",
                              std::string(WithoutPrefix(details, "SSL certificate problem: "))));
    case CURLE_SSL_CACERT_BADFILE:
      return {.own_fault = true, .cause = PlainText("tls.ca cannot be used; check it")};
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return bad("the answer is not HTTP/2");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return bad("the answer is not HTTP");
    case CURLE_OUT_OF_MEMORY:
      return OutcomeOfErrno(ENOMEM);
    default:
      return bad(absl::StrCat("HTTP: ", details));
  }
}

// An answer that is complete.
Outcome HttpDriver::JudgeAnswer(const Transfer& transfer) {
  const model::HealthCheck& check = transfer.target->check;
  CURL* easy = transfer.easy.get();
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (transfer.grpc) {
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    return transfer.answer.Judge(check.service, status, version == CURL_HTTP_VERSION_2_0);
  }
  if (!IsHealthyStatus(check, status)) {
    return {.healthy = false, .cause = absl::StrCat("HTTP status ", status)};
  }
  if (transfer.body.found()) return OutcomeOfErrno(0);
  return {.healthy = false,
          .cause = PlainText(absl::StrCat("the body does not contain \"", check.body, "\""))};
}

int HttpDriver::OnSocket(CURL* /*easy*/, curl_socket_t fd, int what, void* driver,
                         void* /*unused*/) {
  auto& self = *static_cast<HttpDriver*>(driver);
  if (what == CURL_POLL_REMOVE) {
    self.loop_.Unwatch(fd);
    return 0;
  }
  return self.loop_.Watch(fd, ToEpoll(what), &self) ? 0 : -1;
}

int HttpDriver::OnTimer(CURLM* /*multi*/, long timeout_ms, void* driver) {
  auto& next = static_cast<HttpDriver*>(driver)->next_work_;
  next.reset();
  if (timeout_ms >= 0) next = Now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

curl_socket_t HttpDriver::OnOpen(void* transfer, curlsocktype /*purpose*/,
                                 curl_sockaddr* /*address*/) {
  auto& self = *static_cast<Transfer*>(transfer);
  dataplane::UniqueFd socket = OpenTcpSocket(*self.target);
  if (!socket.valid()) {
    self.socket_errno = errno;
    return CURL_SOCKET_BAD;
  }
  ++self.driver->open_sockets_;
  self.fd = socket.get();
  return socket.release();
}

size_t HttpDriver::OnHeader(char* data, size_t size, size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  self.header_bytes += size * count;
  if (self.grpc) self.answer.AddHeader({data, size * count});
  return self.header_bytes > self.driver->limits_.header_bytes ? 0 : size * count;
}

// That the body comes to its end in time is part of being healthy.
size_t HttpDriver::OnBody(char* data, size_t size, size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  self.body_bytes += size * count;
  if (self.grpc) self.answer.AddBody({data, size * count});
  self.body.Add({data, size * count});
  return self.body_bytes > self.driver->limits_.body_bytes ? 0 : size * count;
}

}  // namespace evenkeel::probe
