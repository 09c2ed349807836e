// SPDX-License-Identifier: Apache-2.0
#include "tests/probe/tls_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace evenkeel::testing {
namespace {

constexpr long kDay = 86400;

std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> MakeContext() {
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  std::unique_ptr<X509, void (*)(X509*)> certificate(X509_new(), &X509_free);
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(x), -kDay);
  X509_set_pubkey(x, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("other.example"), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  EXPECT_GT(X509_sign(x, key.get(), EVP_sha256()), 0);
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_server_method()),
                                                       &SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), x), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1);
  return context;
}

}  // namespace

TlsServer::TlsServer(uint16_t port, std::string answer)
    : answer_(std::move(answer)),
      context_(MakeContext()),
      server_(port, [this](const Connection& connection) { Serve(connection); }) {}

std::string TlsServer::server_name() const {
  const std::lock_guard lock(mu_);
  return server_name_;
}

void TlsServer::Serve(const Connection& connection) {
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
