// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_TLS_SERVER_H_
#define EVENKEEL_TESTS_PROBE_TLS_SERVER_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "tests/probe/certificates.h"
#include "tests/probe/server.h"

namespace evenkeel::testing {

// Serves HTTP over TLS.
class TlsServer {
 public:
  TlsServer(uint16_t port, std::string answer, const Identity& identity = ExpiredStranger());

  // What the last client asked for in its hello; "" if nothing.
  std::string server_name() const;

 private:
  void Serve(const Connection& connection);

  const std::string answer_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  mutable std::mutex mu_;
  std::string server_name_;  // mu_
  Server server_;            // last: its threads use the others
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_TLS_SERVER_H_
