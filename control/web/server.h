// SPDX-License-Identifier: Apache-2.0
//
// A small HTTP server (RFC 9110, 9112) for pages that are only read: on a Unix socket, and by TCP
// on a loopback address, or with TLS on any. Knows nothing of what the pages say.
#ifndef EVENKEEL_CONTROL_WEB_SERVER_H_
#define EVENKEEL_CONTROL_WEB_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace evenkeel::web {

// Where to listen by TCP: "127.0.0.1:9469", "[::1]:9469", "localhost:9469".
struct Endpoint {
  std::string host;  // an address without brackets, or "localhost"
  uint16_t port = 0;
  bool loopback = false;  // nobody but this host gets there
};
absl::StatusOr<Endpoint> ParseEndpoint(std::string_view text);

struct Options {
  std::string socket{};  // path, mode 0660, its directory must exist; empty: none
  std::string listen{};  // as ParseEndpoint; empty: none. Not a loopback address: with TLS
  // PEM files. All three or none: whoever has no certificate of that authority is refused.
  std::string cert_file{}, key_file{}, client_ca_file{};
};
// What can be told before anything is opened.
absl::Status Check(const Options& options);

struct Request {
  std::string path;                          // "/metrics"
  std::map<std::string, std::string> query;  // decoded; of one that is there twice the first
};

struct Response {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body{};
};
// Called by several threads at once.
using Handler = std::function<Response(const Request&)>;

// Pages by path, for GET and HEAD. Everything else is refused.
using Pages = std::map<std::string, Handler>;

class Server {
 public:
  // Takes socket and port; nobody is answered until Serve. An error names what is in the way.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(const Options& options);
  ~Server();

  // The pages at the Unix socket, and those at the TCP port. Once.
  void Serve(Pages socket, Pages tcp);
  void Stop();

  // Where it listens by TCP, with the number that port 0 became; 0: nowhere.
  uint16_t port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::web

#endif  // EVENKEEL_CONTROL_WEB_SERVER_H_
