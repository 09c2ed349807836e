// SPDX-License-Identifier: Apache-2.0
#include "tests/probe/tls_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <csignal>

namespace evenkeel::testing {
namespace {

using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;

Context MakeContext(const Identity& identity) {
  const auto memory = [](const std::string& text) {
    return std::unique_ptr<BIO, int (*)(BIO*)>(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  };
  const std::unique_ptr<X509, void (*)(X509*)> x509(
      PEM_read_bio_X509(memory(identity.certificate).get(), nullptr, nullptr, nullptr), &X509_free);
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_bio_PrivateKey(memory(identity.key).get(), nullptr, nullptr, nullptr),
      &EVP_PKEY_free);
  Context context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), x509.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1);
  return context;
}

}  // namespace

TlsServer::TlsServer(uint16_t port, std::string answer, const Identity& identity)
    : answer_(std::move(answer)),
      context_(MakeContext(identity)),
      server_(port, [this](const Connection& connection) { Serve(connection); }) {}

std::string TlsServer::server_name() const {
  const std::lock_guard lock(mu_);
  return server_name_;
}

void TlsServer::Serve(const Connection& connection) {
  // OpenSSL writes to peers that are gone, and only this thread is ours to say what comes of it.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  // Blocking, with a limit, which is all that OpenSSL's simple calls need.
  ::fcntl(connection.fd(), F_SETFL, 0);
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(connection.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), &SSL_free);
  SSL_set_fd(ssl.get(), connection.fd());
  if (SSL_accept(ssl.get()) != 1) return;
  {
    const std::lock_guard lock(mu_);
    const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    server_name_ = name == nullptr ? "" : name;
  }
  char request[4096];
  if (SSL_read(ssl.get(), request, sizeof(request)) <= 0) return;
  SSL_write(ssl.get(), answer_.data(), static_cast<int>(answer_.size()));
  SSL_shutdown(ssl.get());
}

}  // namespace evenkeel::testing
