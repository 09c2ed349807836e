// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_CERTIFICATES_H_
#define EVENKEEL_TESTS_PROBE_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace evenkeel::testing {

// A server's certificate and its key, as PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

// Nobody has signed it, it is for other.example, and it has expired.
Identity ExpiredStranger();

// Signs certificates of servers.
class TestCa {
 public:
  TestCa();

  // `subject_alt_name`: "DNS:shop.example.com,IP:127.0.0.1". Valid for a day on either side of
  // `middle_s` from now.
  Identity Issue(const std::string& subject_alt_name, long middle_s = 0) const;
  const std::string& certificate() const { return certificate_; }

 private:
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  std::unique_ptr<X509, void (*)(X509*)> x509_;
  std::string certificate_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_CERTIFICATES_H_
